package supervise

import (
	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/world"
)

// mailbox wraps an actor's mailbox, to see each message before the actor does.
type mailbox struct {
	actor.Mailbox
	clock world.Clock
	ages  *ages // nil: nobody wants to know
}

func (m *mailbox) PostUserMessage(message any) {
	if m.ages != nil {
		m.ages.post(m.clock.Now())
	}
	m.Mailbox.PostUserMessage(message)
}

func (m *mailbox) RegisterHandlers(next actor.MessageInvoker, d actor.Dispatcher) {
	n, _ := nodeOf(next.(actor.ExtensionContext))
	n.tree.mu.Lock()
	n.mailbox, n.ages = m.Mailbox, m.ages
	n.tree.mu.Unlock()
	m.Mailbox.RegisterHandlers(&invoker{next, n}, d)
}

// invoker stands between a mailbox and its actor.
type invoker struct {
	next actor.MessageInvoker
	node *node
}

// Path is where the actor stands, for a mailbox that wants to know.
func (i *invoker) Path() string { return i.node.path }

func (i *invoker) InvokeUserMessage(message any) {
	n := i.node
	if n.closing {
		n.lost++
		if m, is := message.(*addressed); is {
			m.discard()
		}
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

// handle has the actor handle a message, unless it is meant for another
// incarnation, or breakable and something is to go wrong at it.
func (i *invoker) handle(message any, breakable bool) {
	if m, is := message.(*addressed); is {
		if m.node != i.node || m.incarnation != i.node.incarnation {
			m.discard()
			return
		}
	}
	if !breakable || i.node.injected(message) {
		i.next.InvokeUserMessage(inner(message))
	}
}

// farewell is a Terminated that has been postponed.
type farewell struct {
	incarnation int
	terminated  *actor.Terminated
}

// IgnoreDeadLetterLogging keeps it out of the trace.
func (*farewell) IgnoreDeadLetterLogging() {}

// Deceased is whose end the actor hears of now, for who watches its messages.
func (f *farewell) Deceased() *actor.PID { return f.terminated.Who }

// postpone puts a Terminated behind what the deceased had sent before. The
// actor system delivers it ahead of all that waits, so that an actor would hear
// of an end before the last words.
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
		// To a stopping actor it would give a new life that nobody ends, and to a
		// restarting one a second restart.
		if n.closing || n.inRestart() {
			return
		}
	case *actor.Started, *actor.Watch, *actor.Unwatch, *actor.Stop, *actor.Terminated, *actor.Failure:
	default: // the continuation of a future runs code of the actor
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
