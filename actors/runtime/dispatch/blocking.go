package dispatch

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// keepIdle is how many goroutines a Blocking keeps for later: as many as one
// torrent has actors that block, and some more.
const keepIdle = 8

var _ actor.Dispatcher = (*Blocking)(nil)

// Blocking is a dispatcher for actors that may block. A mailbox that wakes up
// has a goroutine for itself, however many there are already; if possible one
// that is done with another mailbox, and whose stack has grown already. The
// zero value is ready. Close it after the system has stopped.
type Blocking struct {
	mu     sync.Mutex
	idle   []chan func() // of sleeping goroutines, last in, first out
	closed bool
}

// Throughput is how many messages a mailbox may handle in one go.
func (*Blocking) Throughput() int { return throughput }

// Schedule has run called by a goroutine that does nothing else meanwhile.
func (a *Blocking) Schedule(run func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	last := len(a.idle) - 1
	if last < 0 {
		go a.work(run)
		return
	}
	a.idle[last] <- run
	a.idle = a.idle[:last]
}

func (a *Blocking) work(run func()) {
	next := make(chan func(), 1)
	for ; run != nil; run = <-next {
		run()
		if !a.rest(next) {
			return
		}
	}
}

// rest says whether there will be something on next, be it the end.
func (a *Blocking) rest(next chan func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || len(a.idle) == keepIdle {
		return false
	}
	a.idle = append(a.idle, next)
	return true
}

// Close ends the goroutines, those that are at work when they are done: what
// blocks does not keep the caller.
func (a *Blocking) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for _, next := range a.idle {
		next <- nil
	}
	a.idle = nil
}
