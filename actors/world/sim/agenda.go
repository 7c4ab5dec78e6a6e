package sim

import (
	"time"

	"kouzui/actors/world"
)

// appointment is something that will happen. Appointments for one time happen
// in the order in which they were made.
type appointment struct {
	do   happening // nil: it has happened, or was stopped
	life *life     // the process that it belongs to: it does not happen when that has ended; nil: none
	of   *Sim
}

type happening interface{ happen() }

type call func()

func (f call) happen() { f() }

// Stop implements world.Timer.
func (e *appointment) Stop() bool {
	if e.do == nil {
		return false
	}
	e.do = nil
	e.of.agenda.stop()
	return true
}

// at calls f at a time, for a process or, without one, for the world. The time
// until then passes by what.
func (s *Sim) at(at int64, what Sort, l *life, f func()) *appointment {
	if s.follows {
		f = s.carried(what, l, f)
	}
	e := &appointment{}
	if s.pauses != nil {
		s.set(e, at, l, s.pauses.plan(f))
	} else {
		s.set(e, at, l, call(f))
	}
	return e
}

// set makes an appointment at a time; it must not be in the agenda yet.
func (s *Sim) set(e *appointment, at int64, l *life, do happening) {
	*e = appointment{do: do, life: l, of: s}
	s.agenda.add(at, e)
}

// agenda is a heap of appointments in which each entry has four below it. The
// times that are compared lie side by side, so that sorting touches no
// appointment. Stopped appointments stay until they are due, or until they are
// half of all.
type agenda struct {
	heap    []entered
	seq     uint64
	stopped int
}

type entered struct {
	at  int64
	seq uint64
	*appointment
}

func (e *entered) before(o *entered) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

// first is the next appointment, or nil.
func (a *agenda) first() *entered {
	for len(a.heap) > 0 {
		if e := &a.heap[0]; e.do != nil {
			return e
		}
		a.stopped--
		a.pop()
	}
	return nil
}

func (a *agenda) add(at int64, e *appointment) {
	a.seq++
	a.heap = append(a.heap, entered{at, a.seq, e})
	i := len(a.heap) - 1
	one := a.heap[i]
	for i > 0 {
		above := (i - 1) / 4
		if !one.before(&a.heap[above]) {
			break
		}
		a.heap[i] = a.heap[above]
		i = above
	}
	a.heap[i] = one
}

func (a *agenda) pop() {
	last := len(a.heap) - 1
	a.heap[0] = a.heap[last]
	a.heap[last] = entered{}
	a.heap = a.heap[:last]
	if last > 0 {
		a.down(0)
	}
}

func (a *agenda) down(i int) {
	one := a.heap[i]
	for {
		least := 4*i + 1
		if least >= len(a.heap) {
			break
		}
		for kid := least + 1; kid < min(4*i+5, len(a.heap)); kid++ {
			if a.heap[kid].before(&a.heap[least]) {
				least = kid
			}
		}
		if !a.heap[least].before(&one) {
			break
		}
		a.heap[i] = a.heap[least]
		i = least
	}
	a.heap[i] = one
}

// few is how many stopped appointments may stay in the agenda in any case.
const few = 64

func (a *agenda) stop() {
	if a.stopped++; a.stopped < few || a.stopped < len(a.heap)/2 {
		return
	}
	left := a.heap[:0]
	for _, e := range a.heap {
		if e.do != nil {
			left = append(left, e)
		}
	}
	clear(a.heap[len(left):])
	a.heap, a.stopped = left, 0
	for i := (len(left) - 2) / 4; i >= 0; i-- {
		if i < len(left) {
			a.down(i)
		}
	}
}

// clock is the clock of one process.
type clock struct {
	sim  *Sim
	life *life
}

func (c clock) Now() time.Time { return c.sim.Now() }

func (c clock) AfterFunc(d time.Duration, f func()) world.Timer {
	return c.sim.at(c.sim.now+int64(max(d, 0)), Timer, c.life, f)
}
