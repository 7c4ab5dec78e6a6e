package supervise

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/world"
)

// A restart keeps an actor's mailbox: the new incarnation reads what was sent
// to the one before. What an incarnation orders for itself (timers, answers of
// the world) therefore comes through Deliver, SendAfter and SendAtNext, and is
// dropped when another incarnation runs by then.

// Discarder is a message that holds something which must be let go when nobody
// reads the message, such as a connection.
type Discarder interface{ Discard() }

// Deliver returns a function that sends to this incarnation of the actor whose
// context c is, from any goroutine, long after c itself has ceased to be valid.
func Deliver(c actor.Context) func(message any) {
	self, root, incarnation := c.Self(), c.ActorSystem().Root, Incarnation(c)
	n, _ := nodeOf(c)
	return func(message any) { root.Send(self, &addressed{n, incarnation, message}) }
}

// DeliverToAny is Deliver for messages that any incarnation of the actor may
// read: they say themselves what they belong to, and what they hold must be let
// go.
func DeliverToAny(c actor.Context) func(message any) {
	self, root := c.Self(), c.ActorSystem().Root
	return func(message any) { root.Send(self, message) }
}

// SendAfter sends message to this incarnation of the actor whose context c is,
// d from now.
func SendAfter(c actor.Context, clock world.Clock, d time.Duration, message any) world.Timer {
	deliver := Deliver(c)
	return clock.AfterFunc(d, func() { deliver(message) })
}

// SendAtNext is SendAfter for the next moment that is a multiple of every: what
// many actors do at their leisure happens at once, and the processor wakes once
// for all.
func SendAtNext(c actor.Context, clock world.Clock, every time.Duration, message any) world.Timer {
	now := clock.Now()
	return SendAfter(c, clock, now.Truncate(every).Add(every).Sub(now), message)
}

// addressed is a message for one incarnation of its receiver. The number alone
// does not tell which: when an actor has stopped, another with its name begins
// at 1 again.
type addressed struct {
	node        *node
	incarnation int
	message     any
}

// IgnoreDeadLetterLogging keeps addressed out of the trace.
func (*addressed) IgnoreDeadLetterLogging() {}

// Unwrap returns the message itself, for watchers of a mailbox.
func (a *addressed) Unwrap() any { return a.message }

func (a *addressed) discard() {
	if d, is := a.message.(Discarder); is {
		d.Discard()
	}
}

// inner is the message that an actor handles when it is given this one.
func inner(message any) any {
	switch m := message.(type) {
	case *addressed:
		return m.message
	case *late:
		return inner(m.message)
	}
	return message
}
