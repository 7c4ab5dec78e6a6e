package dispatch

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// keepIdle is how many idle goroutines a Blocking keeps: a few more than the
// actors that may block in one torrent.
const keepIdle = 8

var _ actor.Dispatcher = (*Blocking)(nil)

// Blocking is a dispatcher for actors that may block. Each mailbox that wakes
// up gets a goroutine to itself, however many run already; if possible an idle
// one, whose stack has grown already. The zero value is ready. Close it after
// the system has stopped.
type Blocking struct {
	mu     sync.Mutex
	idle   []chan func() // of sleeping goroutines, last in, first out
	closed bool
}

// Throughput is how many messages a mailbox may handle in one go.
func (*Blocking) Throughput() int { return throughput }

// Schedule calls run on a goroutine that runs nothing else meanwhile.
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

// rest enters next in the list of idle goroutines, and tells whether it did:
// then a mailbox, or nil when the dispatcher is closed, will come through next.
func (a *Blocking) rest(next chan func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || len(a.idle) == keepIdle {
		return false
	}
	a.idle = append(a.idle, next)
	return true
}

// Close ends the idle goroutines now, and those that run a mailbox when it is
// done. It does not wait for them: they may block.
func (a *Blocking) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for _, next := range a.idle {
		next <- nil
	}
	a.idle = nil
}
