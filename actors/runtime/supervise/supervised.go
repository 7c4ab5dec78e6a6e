package supervise

import "github.com/asynkron/protoactor-go/actor"

// supervised wraps one incarnation of an actor, records its events, and keeps
// it from running on after a failure.
type supervised struct {
	inner actor.Actor
	node  *node // from Started on
}

func (s *supervised) Receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Started:
		s.node, _ = nodeOf(c)
		s.node.started()
		s.inner.Receive(c)
	case *actor.Restarting:
		s.node.restarting()
		// The restart goes on when all children have stopped. Until then the old
		// incarnation must not read user messages; the library resumes the mailbox
		// with the new one.
		s.node.mailbox.PostSystemMessage(&actor.SuspendMailbox{})
		s.guarded(c)
	case *actor.Stopping:
		s.node.stopping()
		s.guarded(c)
	case *actor.Stopped:
		s.guarded(c)
		s.node.stopped()
	default:
		switch {
		case s.node.over: // a child of a failed or replaced incarnation has stopped
		case s.node.closing:
			s.guarded(c)
		case s.node.postpone(c):
		default:
			s.inner.Receive(c)
		}
	}
}

// guarded calls the actor, and records a panic without passing it on: after a
// panic in one of these handlers the actor library could neither stop nor
// restart the actor.
func (s *supervised) guarded(c actor.Context) {
	message := c.Message()
	defer func() {
		if r := recover(); r != nil {
			s.node.swallowed(r, message, stackOf(r))
		}
	}()
	s.inner.Receive(c)
}
