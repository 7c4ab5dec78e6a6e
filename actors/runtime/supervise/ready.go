package supervise

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// whenReady is a mailbox whose senders wait until it can be run. The actor
// system enters an actor in its registry a moment before it gives the mailbox a
// dispatcher. The members of an engine know each other's addresses beforehand.
// Without whenReady, a message from one of them in that moment would make its
// sender panic, and the mailbox would count as running but never run.
type whenReady struct {
	actor.Mailbox
	ready   atomic.Bool
	started chan struct{} // closed when ready
}

func newWhenReady(m actor.Mailbox) *whenReady {
	return &whenReady{Mailbox: m, started: make(chan struct{})}
}

func (w *whenReady) wait() {
	if !w.ready.Load() {
		<-w.started // for some microseconds: the actor is being spawned
	}
}

// PostUserMessage implements actor.Mailbox.
func (w *whenReady) PostUserMessage(message any) {
	w.wait()
	w.Mailbox.PostUserMessage(message)
}

// PostSystemMessage implements actor.Mailbox.
func (w *whenReady) PostSystemMessage(message any) {
	w.wait()
	w.Mailbox.PostSystemMessage(message)
}

// RegisterHandlers implements actor.Mailbox; from then on the mailbox is ready.
func (w *whenReady) RegisterHandlers(next actor.MessageInvoker, d actor.Dispatcher) {
	w.Mailbox.RegisterHandlers(next, d)
	w.ready.Store(true)
	close(w.started)
}
