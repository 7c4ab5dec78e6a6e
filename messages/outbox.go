package messages

import "github.com/asynkron/protoactor-go/actor"

// Outbox gathers what the core of an actor wants sent while it handles a
// message. The shell sends it, in the same order, when the core is done. The
// zero value is ready to use.
type Outbox struct{ envelopes []envelope }

type envelope struct {
	to      *actor.PID
	message any
}

// Send adds a message. Nothing is sent before Flush.
func (o *Outbox) Send(to *actor.PID, message any) {
	o.envelopes = append(o.envelopes, envelope{to, message})
}

// Flush hands what was gathered to send, oldest first, and empties the outbox.
// A shell passes the Send method of its context.
func (o *Outbox) Flush(send func(to *actor.PID, message any)) {
	for i, e := range o.envelopes {
		o.envelopes[i] = envelope{} // a sent message is not kept alive
		send(e.to, e.message)
	}
	o.envelopes = o.envelopes[:0]
}
