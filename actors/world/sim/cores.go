package sim

import (
	"time"

	"kouzui/actors/runtime/work"
)

// slice is how long a thread keeps its core while others wait, as in Go's
// scheduler, which preempts a goroutine after 10 ms. A message is handled to
// its end.
const slice = 10 * time.Millisecond

// thread is what needs a core to go on: a mailbox with messages, or one
// direction of a connection.
type thread interface {
	// over tells whether its process has ended.
	over() bool
	// begin takes up what is to be done next and returns how long it takes; false:
	// there is nothing to do.
	begin() (time.Duration, bool)
	// end lets what was begun have its effects.
	end()
}

// Cores are the processors of a machine, on which one host runs or several.
// Threads that are ready wait in one line, first come, first served. A thread
// that has got a core does all it has to do, as a worker of package dispatch
// empties a mailbox, but for slice.
type Cores struct {
	sim  *Sim
	n    int
	free int
	line fifo[thread]
}

// NewCores returns the n processors of a machine.
func (s *Sim) NewCores(n int) *Cores { return &Cores{sim: s, n: n, free: n} }

// workers are what may run the mailboxes of a process that do not block.
type workers struct {
	limited bool // there are only so many
	free    int
	line    fifo[thread] // those that wait for one
}

// runBy is the process one of whose workers runs the thread; nil: none does.
func runBy(t thread) *life {
	if m, is := t.(interface{ runBy() *life }); is {
		return m.runBy()
	}
	return nil
}

// enter puts a thread into the line. It must not be there, nor have a core.
func (c *Cores) enter(t thread) {
	if l := runBy(t); l != nil && l.workers.limited {
		if l.workers.free == 0 {
			l.workers.line.push(t)
			return
		}
		l.workers.free--
	}
	c.line.push(t)
	c.fill()
}

// leave notes that a thread has nothing more to do: its worker takes another.
func (c *Cores) leave(t thread) {
	l := runBy(t)
	switch {
	case l == nil || !l.workers.limited:
	case l.workers.line.len() > 0:
		c.line.push(l.workers.line.pop())
	default:
		l.workers.free++
	}
}

func (c *Cores) fill() {
	for c.free > 0 && c.line.len() > 0 {
		c.free--
		t := c.line.pop()
		wake := time.Duration(0)
		if l := runBy(t); l != nil {
			wake = l.host.Run.Wake
		}
		c.run(t, c.sim.now, wake)
	}
}

// run lets a thread, which has had a core since that time, do one thing more,
// after the time that it takes to wake up.
func (c *Cores) run(t thread, since int64, wake time.Duration) {
	took, more := time.Duration(0), false
	if !t.over() {
		took, more = t.begin()
	}
	if !more {
		c.free++
		c.leave(t)
		return
	}
	e := c.sim.at(c.sim.now+int64(wake+took), Work, nil, func() {
		if !t.over() {
			t.end()
		}
		if c.line.len() > 0 && time.Duration(c.sim.now-since) >= slice {
			c.line.push(t)
			c.free++
		} else {
			c.run(t, since, 0)
		}
		c.fill()
	})
	if c.sim.pauses != nil {
		e.running(t)
	}
}

// device counts that a device of the host was busy; waited is for how long what
// it did had to wait before.
func (l *life) device(d **work.Actor, name string, waited, took int64, bytes int64) {
	if l.meter == nil || took == 0 {
		return
	}
	if *d == nil {
		*d = l.meter.Device(name)
	}
	(*d).Add(work.Handled{Message: name, Waited: time.Duration(waited), Took: time.Duration(took), Bytes: uint64(bytes), For: 1})
}
