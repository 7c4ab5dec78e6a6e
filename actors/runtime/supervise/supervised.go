package supervise

import "github.com/asynkron/protoactor-go/actor"

// supervised wraps one incarnation of an actor, records its life, and keeps it
// from running on after a failure.
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
		// Until the children have stopped the old incarnation would go on with user
		// messages; the restart resumes the mailbox.
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
		case s.node.over: // a child of an incarnation that is over has stopped
		case s.node.closing:
			s.guarded(c)
		case s.node.postpone(c):
		default:
			s.inner.Receive(c)
		}
	}
}

// guarded keeps a panic from the actor system, which after a panic in one of
// these handlers could neither stop nor restart the actor.
func (s *supervised) guarded(c actor.Context) {
	message := c.Message()
	defer func() {
		if r := recover(); r != nil {
			s.node.swallowed(r, message, stackOf(r))
		}
	}()
	s.inner.Receive(c)
}
