// Package dispatch runs the mailboxes of an actor system.
//
// Proto.Actor's own dispatcher starts a goroutine each time a mailbox wakes up,
// and most of its cost is the growth of fresh stacks. Workers keeps a few
// goroutines, whose stacks have grown already, and hands them the mailboxes.
//
// It belongs to the real world: it uses goroutines and real time. A simulated
// world brings a dispatcher of its own.
package dispatch

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

const (
	// throughput is how many messages a mailbox handles before it lets other
	// goroutines run.
	throughput = 300

	// maxStandstill is how long no mailbox may be taken from the queue before one
	// more worker starts: a mailbox that never empties, or a Receive that takes
	// long, occupies its worker and must not keep the others waiting.
	maxStandstill = time.Millisecond
)

var _ actor.Dispatcher = (*Workers)(nil)

// Workers is a dispatcher of a few persistent goroutines. One instance serves
// all mailboxes of an actor system. Close it after the system has stopped.
//
// A panic that reaches a worker has escaped supervision; it ends the process,
// as in any goroutine.
type Workers struct {
	mu     sync.Mutex
	queue  ring
	idle   []chan struct{} // one wake-up channel for each sleeping worker, last in, first out
	waking bool            // a worker was woken and has not looked at the queue yet
	taken  uint64          // mailboxes taken from the queue, to see whether it moves
	watch  *time.Timer     // nil while no standstill is watched for
	closed bool
	alone  bool // no worker is ever added
	wg     sync.WaitGroup
}

// New starts n workers; n of 0 means one for each processor, and never fewer
// than two, so that one long Receive does not stop everything.
func New(n int) *Workers {
	if n <= 0 {
		n = Processors()
	}
	w := &Workers{}
	for range max(n, 2) {
		w.wg.Add(1)
		go w.work(true)
	}
	return w
}

// Throughput is how many messages a mailbox may handle in one go.
func (w *Workers) Throughput() int { return throughput }

// Schedule calls run on a worker. After Close run gets a goroutine of its own,
// so that an actor that is still stopping can finish.
func (w *Workers) Schedule(run func()) {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		go run()
		return
	}
	w.queue.push(run)
	w.wakeOne()
	w.watchBacklog()
	w.mu.Unlock()
}

// Close waits until all that was scheduled has run and the workers have ended.
// Nothing that runs on a worker may call it.
func (w *Workers) Close() {
	w.mu.Lock()
	w.closed = true
	for _, wake := range w.idle {
		wake <- struct{}{}
	}
	w.idle = nil
	w.mu.Unlock()
	w.wg.Wait()

	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watch != nil {
		w.watch.Stop()
		w.watch = nil
	}
}

// wakeOne wakes a worker if mailboxes are waiting and no worker is waking up. A
// worker that has woken wakes the next one, so that a burst wakes as many as it
// needs, and two actors that talk to each other stay on one worker.
func (w *Workers) wakeOne() {
	if w.waking || w.queue.n == 0 || len(w.idle) == 0 {
		return
	}
	last := len(w.idle) - 1
	wake := w.idle[last]
	w.idle = w.idle[:last]
	w.waking = true
	wake <- struct{}{}
}

// watchBacklog arms the timer that starts one more worker when the queue has
// not moved for maxStandstill.
func (w *Workers) watchBacklog() {
	if w.alone || w.watch != nil || w.queue.n == 0 || len(w.idle) > 0 || w.waking {
		return
	}
	before := w.taken
	w.watch = time.AfterFunc(maxStandstill, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.watch = nil
		if w.queue.n > 0 && w.taken == before && len(w.idle) == 0 {
			w.wg.Add(1)
			go w.work(false)
		}
		w.watchBacklog()
	})
}

// work is the loop of a worker. A worker that watchBacklog has added leaves
// when no mailbox waits; a persistent one sleeps.
func (w *Workers) work(persistent bool) {
	finished := false
	defer func() {
		if !finished && persistent { // runtime.Goexit in a Receive
			w.wg.Add(1)
			go w.work(true)
		}
		w.wg.Done()
	}()

	wake := make(chan struct{}, 1)
	w.mu.Lock()
	for {
		for w.queue.n > 0 {
			run := w.queue.pop()
			w.taken++
			w.wakeOne()
			w.watchBacklog()
			w.mu.Unlock()
			if f := following.Load(); f != nil {
				f.look()
			}
			run()
			w.mu.Lock()
		}
		if w.closed || !persistent {
			w.mu.Unlock()
			finished = true
			return
		}
		w.idle = append(w.idle, wake)
		w.mu.Unlock()
		<-wake
		w.mu.Lock()
		w.waking = false
	}
}

// ring is a queue in a circular buffer, which doubles when it is full.
type ring struct {
	buf     []func()
	head, n int
}

func (r *ring) push(f func()) {
	if r.n == len(r.buf) {
		grown := make([]func(), max(64, 2*len(r.buf)))
		for i := range r.n {
			grown[i] = r.buf[(r.head+i)%len(r.buf)]
		}
		r.buf, r.head = grown, 0
	}
	r.buf[(r.head+r.n)&(len(r.buf)-1)] = f
	r.n++
}

func (r *ring) pop() func() {
	f := r.buf[r.head]
	r.buf[r.head] = nil
	r.head = (r.head + 1) & (len(r.buf) - 1)
	r.n--
	return f
}
