package trace

import (
	"sync"
	"sync/atomic"
	"time"

	"kouzui/actors/supervise"
)

// backlog is how many events a slow writer may be behind before it loses some.
const backlog = 8192

// grace is how long a writer may take for the last events; the end of the
// program waits for it.
const grace = time.Second

// lag is how long an event may be kept back, for others to be written with it:
// a write for each would cost more than all the rest.
const lag = 50 * time.Millisecond

// urgent are those that may be the last words of a program.
func urgent(k supervise.Kind) bool {
	return k == supervise.Fault || k == supervise.Failed || k == supervise.Escalated
}

// queue takes events from actors without ever blocking one, and writes them on
// a goroutine of its own. Sequence numbers have no gaps, so those that did not
// fit show as gaps, for which a Dropped event is written.
type queue struct {
	write func(*supervise.Event)
	flush func() // called soon after there is nothing more to write

	events chan *supervise.Event
	newest atomic.Uint64 // Seq of the last event offered
	stop   chan struct{}
	once   sync.Once
	done   chan struct{}
}

func newQueue(size int, write func(*supervise.Event), flush func()) *queue {
	q := &queue{
		write:  write,
		flush:  flush,
		events: make(chan *supervise.Event, size),
		stop:   make(chan struct{}),
		done:   make(chan struct{}),
	}
	go q.run()
	return q
}

// Record implements supervise.Sink.
func (q *queue) Record(e *supervise.Event) {
	q.newest.Store(e.Seq)
	select {
	case q.events <- e:
	default:
	}
}

// close returns true when all that was recorded before has been written, and
// false when that takes too long.
func (q *queue) close() bool {
	q.once.Do(func() { close(q.stop) })
	select {
	case <-q.done:
		return true
	case <-time.After(grace):
		return false
	}
}

func (q *queue) run() {
	defer close(q.done)
	last := &supervise.Event{} // written
	// gap writes what is missing between the last event and number seq.
	gap := func(seq uint64) {
		if seq > last.Seq+1 {
			q.write(&supervise.Event{Kind: supervise.Dropped, Seq: seq - 1, Time: last.Time, Lost: int(seq - 1 - last.Seq)})
		}
	}
	next := func(e *supervise.Event) {
		if last.Seq == 0 {
			last.Time = e.Time
		}
		gap(e.Seq)
		last = e
		q.write(e)
	}
	var lazy <-chan time.Time // when to flush what can wait
	for {
		select {
		case e := <-q.events:
			next(e)
			switch {
			case len(q.events) > 0:
			case urgent(e.Kind):
				q.flush()
				lazy = nil
			case lazy == nil:
				lazy = time.After(lag)
			}
		case <-lazy:
			q.flush()
			lazy = nil
		case <-q.stop:
			for len(q.events) > 0 {
				next(<-q.events)
			}
			gap(q.newest.Load() + 1)
			q.flush()
			return
		}
	}
}
