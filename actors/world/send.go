package world

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// SendAfter sends msg to the actor whose context c is, d from now. The timer
// survives a restart of the actor: stop it in Restarting and Stopping, or let
// msg say to which incarnation it belongs.
func SendAfter(c actor.Context, clock Clock, d time.Duration, msg any) Timer {
	deliver := Deliver(c)
	return clock.AfterFunc(d, func() { deliver(msg) })
}

// SendAtNext is SendAfter for the next moment that is a multiple of every: what
// many actors do at their leisure then happens at once, and the processor wakes
// once for all.
func SendAtNext(c actor.Context, clock Clock, every time.Duration, msg any) Timer {
	now := clock.Now()
	return SendAfter(c, clock, now.Truncate(every).Add(every).Sub(now), msg)
}

// Deliver returns a function that sends to the actor whose context c is, from
// any goroutine, long after c itself has ceased to be valid.
func Deliver(c actor.Context) func(any) {
	self, root := c.Self(), c.ActorSystem().Root
	return func(msg any) { root.Send(self, msg) }
}
