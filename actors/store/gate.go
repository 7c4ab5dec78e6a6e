package store

import (
	"kouzui/actors/runtime/supervise"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// moved: worker or keeper to itself, when the disk has answered late.
type moved struct{ gate *gate }

// gate is what an actor waits at for calls that may answer at once or later. It
// is passed by whoever comes last: the actor goes straight on, or is sent moved.
type gate struct {
	left atomic.Int32
	wake func()
	done func(error) // one answer, bound once
	mu   sync.Mutex
	err  error // the first
}

func newGate(c actor.Context) *gate {
	g := &gate{}
	deliver, message := supervise.Deliver(c), &moved{g}
	g.wake = func() { deliver(message) }
	g.done = func(err error) {
		if err != nil {
			g.mu.Lock()
			if g.err == nil {
				g.err = err
			}
			g.mu.Unlock()
		}
		if g.left.Add(-1) == 0 {
			g.wake()
		}
	}
	return g
}

func (g *gate) shut() {
	g.err = nil
	g.left.Store(1)
}

// expect returns what one more call has to answer.
func (g *gate) expect() func(error) {
	g.left.Add(1)
	return g.done
}

// passed is false if answers are missing; moved comes with the last of them.
func (g *gate) passed() bool { return g.left.Add(-1) == 0 }
