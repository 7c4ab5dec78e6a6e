package sim

import (
	"time"

	"kouzui/actors/world"
)

// event is something that will happen at a time. Events of one time happen in
// the order in which they were set.
type event struct {
	at   int64
	seq  uint64
	i    int   // in the agenda; negative: not there any more
	life *life // with which it ends; nil: with none
	f    func()
	of   *Sim
}

// Stop implements world.Timer.
func (e *event) Stop() bool {
	if e.i < 0 {
		return false
	}
	e.of.events.remove(e)
	return true
}

func (s *Sim) at(at int64, l *life, f func()) *event {
	e := &event{at: at, life: l, f: f, of: s}
	s.events.add(e)
	return e
}

// agenda is a heap of events.
type agenda struct {
	heap []*event
	seq  uint64
}

func (a *agenda) first() *event {
	if len(a.heap) == 0 {
		return nil
	}
	return a.heap[0]
}

func (a *agenda) add(e *event) {
	a.seq++
	e.seq, e.i = a.seq, len(a.heap)
	a.heap = append(a.heap, e)
	a.up(e)
}

func (a *agenda) remove(e *event) {
	last := a.heap[len(a.heap)-1]
	a.heap[len(a.heap)-1] = nil
	a.heap = a.heap[:len(a.heap)-1]
	if last != e {
		a.put(last, e.i)
		a.up(last)
		a.down(last)
	}
	e.i = -1
}

func (a *agenda) put(e *event, i int) { a.heap[i], e.i = e, i }

func (e *event) before(o *event) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

func (a *agenda) up(e *event) {
	for e.i > 0 {
		above := a.heap[(e.i-1)/2]
		if !e.before(above) {
			return
		}
		i := above.i
		a.put(above, e.i)
		a.put(e, i)
	}
}

func (a *agenda) down(e *event) {
	for {
		kid := 2*e.i + 1
		if kid >= len(a.heap) {
			return
		}
		if kid+1 < len(a.heap) && a.heap[kid+1].before(a.heap[kid]) {
			kid++
		}
		below := a.heap[kid]
		if !below.before(e) {
			return
		}
		a.put(below, e.i)
		a.put(e, kid)
	}
}

// clock is the time as the process of a life sees it.
type clock struct {
	sim  *Sim
	life *life
}

func (c clock) Now() time.Time { return c.sim.Now() }

func (c clock) AfterFunc(d time.Duration, f func()) world.Timer {
	return c.sim.at(c.sim.now+int64(max(d, 0)), c.life, f)
}
