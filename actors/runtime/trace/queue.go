package trace

import (
	"sync"
	"time"

	"kouzui/actors/runtime/event"
)

// backlog is how many events may wait for a slow writer before further ones are
// dropped.
const backlog = 8192

// grace is how long Close waits for the writer, and so how long a stuck writer
// delays the end of the program.
const grace = time.Second

// lag is how long an event may wait for others, to be written together with
// them.
const lag = 50 * time.Millisecond

// urgent tells whether an event is to be written at once, because the program
// may end right after it.
func urgent(k event.Kind) bool {
	return k == event.Fault || k == event.Failed || k == event.Escalated
}

// queue takes events from actors without ever blocking one, and writes them on
// a goroutine of its own, many at a time, because waking that goroutine costs
// more than writing an event. Events that do not fit are dropped. As sequence
// numbers have no gaps, the goroutine notices this, and writes a Dropped event.
type queue struct {
	write func(*event.Event)
	flush func() // called when there is nothing more to write for now
	size  int

	mu     sync.Mutex
	events []*event.Event // not yet taken by the goroutine
	behind int            // how many are not written yet, those in events among them
	newest uint64         // Seq of the last event offered

	some  chan struct{} // there are events
	hurry chan struct{} // there are urgent events
	stop  chan struct{}
	once  sync.Once
	done  chan struct{}
}

func newQueue(size int, write func(*event.Event), flush func()) *queue {
	q := &queue{
		write: write,
		flush: flush,
		size:  size,
		some:  make(chan struct{}, 1),
		hurry: make(chan struct{}, 1),
		stop:  make(chan struct{}),
		done:  make(chan struct{}),
	}
	go q.run()
	return q
}

// Record implements event.Sink.
func (q *queue) Record(e *event.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.newest = e.Seq
	if q.behind < q.size {
		q.behind++
		q.events = append(q.events, e)
	}
	if len(q.events) == 1 {
		signal(q.some)
	}
	if urgent(e.Kind) || q.behind >= q.size/2 {
		signal(q.hurry)
	}
}

// signal sends on c unless a signal waits there already.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// close waits until all that was recorded before has been written. It returns
// false if that takes longer than grace.
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
	last := &event.Event{} // the last event that was written
	// gap writes a Dropped event if events are missing between the last one and
	// number seq.
	gap := func(seq uint64) {
		if seq > last.Seq+1 {
			q.write(&event.Event{Kind: event.Dropped, Seq: seq - 1, Time: last.Time, Lost: int(seq - 1 - last.Seq)})
		}
	}
	var batch []*event.Event
	for stopped := false; !stopped; {
		select {
		case <-q.some:
			select {
			case <-q.hurry:
			case <-time.After(lag):
			case <-q.stop:
			}
		case <-q.stop:
			stopped = true
		}
		newest := uint64(0)
		for batch, newest = q.take(batch); len(batch) > 0; batch, newest = q.take(batch) {
			for _, e := range batch {
				if last.Seq == 0 {
					last.Time = e.Time
				}
				gap(e.Seq)
				last = e
				q.write(e)
				q.wrote()
			}
		}
		if stopped {
			gap(newest + 1)
		}
		q.flush()
	}
}

// take returns all events that wait. It takes over the slice of the batch that
// was written before, and uses its room again.
func (q *queue) take(written []*event.Event) (batch []*event.Event, newest uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(written)
	batch, q.events = q.events, written[:0]
	return batch, q.newest
}

func (q *queue) wrote() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.behind--
}
