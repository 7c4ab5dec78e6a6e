package supervise

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// gated holds senders back until its mailbox can be run. The actor system enters
// an actor in its registry a moment before it gives the mailbox a dispatcher. A
// message from somebody who knew the address beforehand, as the members of an
// engine know each other's, would in that moment make its sender panic, and the
// mailbox would count as running and never run.
type gated struct {
	actor.Mailbox
	open   atomic.Bool
	opened chan struct{}
}

func newGated(m actor.Mailbox) *gated { return &gated{Mailbox: m, opened: make(chan struct{})} }

func (g *gated) wait() {
	if !g.open.Load() {
		<-g.opened // some microseconds: the actor is being spawned
	}
}

func (g *gated) PostUserMessage(message any) {
	g.wait()
	g.Mailbox.PostUserMessage(message)
}

func (g *gated) PostSystemMessage(message any) {
	g.wait()
	g.Mailbox.PostSystemMessage(message)
}

func (g *gated) RegisterHandlers(next actor.MessageInvoker, d actor.Dispatcher) {
	g.Mailbox.RegisterHandlers(next, d)
	g.open.Store(true)
	close(g.opened)
}
