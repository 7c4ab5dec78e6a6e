package supervise

import (
	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/world"
)

// mailbox wraps an actor's mailbox, so that an invoker sees each message before
// the actor does.
type mailbox struct {
	actor.Mailbox
	clock  world.Clock
	ages   *ages   // nil: the times of sending are not remembered
	timing *timing // nil: messages are not measured
}

func (m *mailbox) PostUserMessage(message any) {
	if m.ages != nil {
		m.ages.post(m.clock.Now())
	}
	if m.timing != nil {
		m.timing.post(m.clock)
	}
	m.Mailbox.PostUserMessage(message)
}

func (m *mailbox) RegisterHandlers(next actor.MessageInvoker, d actor.Dispatcher) {
	n, _ := nodeOf(next.(actor.ExtensionContext))
	n.tree.mu.Lock()
	n.mailbox, n.ages = m.Mailbox, m.ages
	n.tree.mu.Unlock()
	i := &invoker{next, n, m.timing, m.clock}
	if m.timing != nil {
		m.timing.of(n)
	}
	m.Mailbox.RegisterHandlers(i, d)
}

// invoker passes messages from a mailbox to its actor: it drops messages that
// are not meant for this incarnation, carries out faults, and records failures.
type invoker struct {
	next   actor.MessageInvoker
	node   *node
	timing *timing // nil: messages are not measured
	clock  world.Clock
}

// Path is the path of the actor, for a mailbox that records which actor handles
// which message.
func (i *invoker) Path() string { return i.node.path }

// Kind is the kind of the actor, for a mailbox that sums up work by kind.
func (i *invoker) Kind() string { return i.node.kind }

// Actor is the present incarnation of the actor, for a debugger that looks into
// a mailbox; nil: there is none.
func (i *invoker) Actor() actor.Actor {
	of, is := i.next.(interface{ Actor() actor.Actor })
	if !is {
		return nil
	}
	s, is := of.Actor().(*supervised)
	if !is {
		return nil
	}
	return s.inner
}

// InvokeUserMessage implements actor.MessageInvoker.
func (i *invoker) InvokeUserMessage(message any) {
	if i.timing != nil {
		if one := i.timing.next(); one != nil {
			i.measured(message, one)
			return
		}
	}
	i.invoke(message)
}

func (i *invoker) invoke(message any) {
	n := i.node
	if n.closing {
		n.lost++
		discard(message)
		return
	}
	switch m := message.(type) {
	case *kill:
		n.strike(m.reason)
	case *probe:
		n.probed(m)
	case *farewell:
		if m.incarnation == n.incarnation {
			n.inOrder = true
			i.next.InvokeUserMessage(m.terminated)
			n.inOrder = false
		}
	case *late:
		i.handle(m.message, false)
	default:
		i.handle(message, true)
	}
}

// handle gives a message to the actor, unless the message is addressed to
// another incarnation or was taken back, or is breakable and the injector
// prevents it.
func (i *invoker) handle(message any, breakable bool) {
	var timer *Timer
	switch m := message.(type) {
	case *addressed:
		if !m.isFor(i.node) {
			discard(m)
			return
		}
	case *firing:
		if !m.isFor(i.node) || !m.isDue() {
			discard(m)
			return
		}
		timer = m.of
	}
	if !breakable || i.node.injected(message) {
		if timer != nil {
			*timer = Timer{}
		}
		i.next.InvokeUserMessage(inner(message))
	}
}

// farewell is a Terminated that waits behind the last messages of the actor
// that has stopped, see postpone.
type farewell struct {
	incarnation int
	terminated  *actor.Terminated
}

// IgnoreDeadLetterLogging keeps farewell out of the trace.
func (*farewell) IgnoreDeadLetterLogging() {}

// Deceased returns the actor that has stopped, for code that watches a mailbox.
func (f *farewell) Deceased() *actor.PID { return f.terminated.Who }

// postpone sends a Terminated to the actor once more, as a farewell that queues
// behind all waiting messages, and tells whether it did. The actor library
// delivers a Terminated ahead of all waiting messages, so that an actor would
// hear that another has stopped before it has read the last messages from that
// other actor.
func (n *node) postpone(c actor.Context) bool {
	m, ok := c.Message().(*actor.Terminated)
	if !ok || n.inOrder {
		return false
	}
	c.Send(c.Self(), &farewell{n.incarnation, m})
	return true
}

func (i *invoker) InvokeSystemMessage(message any) {
	n := i.node
	switch message.(type) {
	case *actor.Restart:
		// For a stopping actor this would begin an incarnation that nothing stops;
		// for an actor that is being restarted it would be a second restart.
		if n.closing || n.inRestart() {
			return
		}
	case *actor.Started, *actor.Watch, *actor.Unwatch, *actor.Stop, *actor.Terminated, *actor.Failure:
	default: // such as the continuation of a future, which runs code of the actor
		if n.closing || n.over {
			return
		}
	}
	i.next.InvokeSystemMessage(message)
}

// EscalateFailure is called by the mailbox while the actor panics, so that the
// panicking frames are still on the stack.
func (i *invoker) EscalateFailure(reason, message any) {
	i.node.failedWith(reason, inner(message), stackOf(reason))
	i.next.EscalateFailure(reason, message)
}
