package supervise

import "github.com/asynkron/protoactor-go/actor"

// A restart keeps an actor's mailbox: the new incarnation reads what was sent
// to the one before. Timers are therefore those of this package, and answers of
// the world are sent through Deliver: what comes of them is dropped if the
// actor has been restarted in the meantime.

// Discarder is a message that holds something, such as a connection, which must
// be released when the message is dropped: by an actor that stops, that is
// another incarnation, or that has stopped.
type Discarder interface{ Discard() }

// Deliver returns a function that sends to the incarnation of the actor that
// calls Deliver, and to no other. Unlike c, the function may be called from any
// goroutine and at any time.
func Deliver(c actor.Context) func(message any) {
	self, root, incarnation := c.Self(), c.ActorSystem().Root, Incarnation(c)
	n, _ := nodeOf(c)
	return func(message any) { root.Send(self, &addressed{n, incarnation, message}) }
}

// DeliverToAny is like Deliver, but any later incarnation of the actor reads
// the messages too. It is for messages whose contents must be released, such as
// those of links; each of them names what it belongs to, so that the actor can
// tell.
func DeliverToAny(c actor.Context) func(message any) {
	self, root := c.Self(), c.ActorSystem().Root
	return func(message any) { root.Send(self, message) }
}

// addressed is a message for one incarnation of its receiver. The incarnation
// number alone is not enough: an actor that is spawned later under the same
// name counts from 1 again.
type addressed struct {
	node        *node
	incarnation int
	message     any
}

func (a *addressed) isFor(n *node) bool { return a.node == n && a.incarnation == n.incarnation }

// IgnoreDeadLetterLogging keeps addressed out of the trace.
func (*addressed) IgnoreDeadLetterLogging() {}

// Unwrap returns the message itself, for watchers of a mailbox.
func (a *addressed) Unwrap() any { return a.message }

// discard releases what a dropped message holds.
func discard(message any) {
	if d, is := inner(message).(Discarder); is {
		d.Discard()
	}
}

// inner unwraps a message: it returns what the actor itself will handle.
func inner(message any) any {
	switch m := message.(type) {
	case *addressed:
		return m.message
	case *firing:
		return m.message
	case *late:
		return inner(m.message)
	}
	return message
}
