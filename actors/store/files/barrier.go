package files

import (
	"sync"
	"sync/atomic"
)

// Barrier is for an actor that starts several calls, each of which may call
// back before it returns or later, from any goroutine. When all have called
// back, the actor goes on at once if it is still there, or is woken by a
// message.
type Barrier struct {
	left atomic.Int32 // calls under way, and one until Passed
	wake func()
	done func(error)
	mu   sync.Mutex
	err  error // the first
}

// NewBarrier returns a barrier that calls wake, from any goroutine, if the last
// call comes back after Passed.
func NewBarrier(wake func()) *Barrier {
	b := &Barrier{wake: wake}
	b.done = b.Done // bound once to save an allocation a call
	return b
}

// Close begins a round of calls.
func (b *Barrier) Close() {
	b.Reset()
	b.left.Store(1)
}

// Reset forgets the error of the last round.
func (b *Barrier) Reset() { b.err = nil }

// Expect returns what one more call has to call back.
func (b *Barrier) Expect() func(error) {
	b.left.Add(1)
	return b.done
}

// Done is what Expect returns: one call has come back.
func (b *Barrier) Done(err error) {
	if err != nil {
		b.mu.Lock()
		if b.err == nil {
			b.err = err
		}
		b.mu.Unlock()
	}
	if b.left.Add(-1) == 0 {
		b.wake()
	}
}

// Passed ends the starting of calls. It returns false if some have not called
// back; then the last of them wakes the actor.
func (b *Barrier) Passed() bool { return b.left.Add(-1) == 0 }

// Err is the first error that a call of this round came back with.
func (b *Barrier) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
