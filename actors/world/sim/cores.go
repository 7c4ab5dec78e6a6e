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

// enter puts a thread into the line. It must not be there, nor have a core.
func (c *Cores) enter(t thread) {
	c.line.push(t)
	c.fill()
}

func (c *Cores) fill() {
	for c.free > 0 && c.line.len() > 0 {
		c.free--
		c.run(c.line.pop(), c.sim.now)
	}
}

// run lets a thread, which has had a core since that time, do one thing more.
func (c *Cores) run(t thread, since int64) {
	took, more := time.Duration(0), false
	if !t.over() {
		took, more = t.begin()
	}
	if !more {
		c.free++
		return
	}
	c.sim.at(c.sim.now+int64(took), nil, func() {
		if !t.over() {
			t.end()
		}
		if c.line.len() > 0 && time.Duration(c.sim.now-since) >= slice {
			c.line.push(t)
			c.free++
		} else {
			c.run(t, since)
		}
		c.fill()
	})
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
