package supervise

import (
	"kouzui/actors/runtime/event"
	"slices"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
)

// supervisor carries out what a strategy decides, and records it. It runs on
// the parent's mailbox; that of a root runs on the root's own.
type supervisor struct {
	tree     *Tree
	strategy Strategy
}

func (s *supervisor) HandleFailure(_ *actor.ActorSystem, by actor.Supervisor, who *actor.PID, _ *actor.RestartStatistics, reason, message any) {
	t := s.tree
	t.mu.Lock()
	child, ok := t.nodes[who.Id]
	if !ok || child.state != StateFailed {
		// This failure needs no further answer: the whole group is being restarted,
		// or the child is stopping.
		t.mu.Unlock()
		return
	}
	d := s.decide(child, reason)
	directive := t.record(s.event(child, d))

	switch d.Action {
	case event.ActionRestart:
		child.state = StateWaiting
		child.why = directive
		t.mu.Unlock()
		s.restartLater(by, child, directive, d)
	case event.ActionEscalate:
		parent := child.parent
		e := parent.event(event.Escalated, directive)
		e.Reason = reasonOf(reason)
		parent.over = true
		parent.fail(t.record(e), e)
		t.mu.Unlock()
		by.EscalateFailure(reason, message)
	default:
		child.endFor(d.Reason, directive)
		t.mu.Unlock()
		by.StopChildren(child.pid)
	}
}

// decide asks the strategy, and overrides decisions that cannot be carried out.
// tree.mu is held.
func (s *supervisor) decide(child *node, reason any) Decision {
	if p := child.parent; p != nil && p.state != StateRunning {
		// The parent has failed or is ending, and its next incarnation starts without
		// children.
		return Decision{Action: event.ActionStop, Reason: ReasonParent}
	}
	if child.rand == nil {
		child.rand = s.tree.Chance.Source("supervise/" + child.path)
	}
	d := s.strategy.Decide(Failure{
		Kind:     child.kind,
		Reason:   reason,
		History:  &child.history,
		Now:      s.tree.Clock.Now(),
		Rand:     child.rand,
		Designed: designed(reason),

		Supervises: s.tree.supervises(child),
	})
	if d.Action == event.ActionEscalate && child.parent == nil {
		d.Action = event.ActionStop
		set(&d.Reason, ReasonEscalated)
	}
	if d.Action == event.ActionStop {
		set(&d.Reason, ReasonFailed)
	}
	return d
}

// supervises tells whether an actor has children. tree.mu is held.
func (t *Tree) supervises(parent *node) bool {
	for _, n := range t.nodes {
		if n.parent == parent {
			return true
		}
	}
	return false
}

func (s *supervisor) event(child *node, d Decision) *event.Event {
	e := child.event(event.Directive, child.failure)
	e.Strategy = d.Strategy
	set(&e.Strategy, s.strategy.Name())
	e.Reason = d.Reason
	e.Action = d.Action
	e.Attempt = d.Attempt
	e.BudgetLeft = d.BudgetLeft
	e.Delay = d.Delay
	return e
}

// restartLater restarts the child, or the whole group, after the delay of the
// decision. The timer uses the supervisor by only to send to a PID, which is
// safe on any goroutine. It holds the lock while it sends: no actor can stop
// meanwhile, so the restart cannot reach a new actor that was given the same
// address.
func (s *supervisor) restartLater(by actor.Supervisor, child *node, directive uint64, d Decision) {
	restart := func() {
		s.tree.mu.Lock()
		defer s.tree.mu.Unlock()
		for _, pid := range s.due(child, directive, d.All) {
			by.RestartChildren(pid)
		}
	}
	if d.Delay <= 0 {
		restart()
		return
	}
	timer := s.tree.Clock.AfterFunc(d.Delay, restart)

	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	if child.waits(directive) {
		child.timer = timer
	} else {
		timer.Stop() // fired already, or the child stopped meanwhile
	}
}

// waits tells whether the directive is still to be carried out.
func (n *node) waits(directive uint64) bool {
	return n.state == StateWaiting && n.why == directive
}

// due lists the actors to be restarted now: the child, if it still waits, and
// if all is true its siblings. This also answers the failure of a sibling that
// has failed meanwhile. tree.mu is held.
func (s *supervisor) due(child *node, directive uint64, all bool) []*actor.PID {
	if !child.waits(directive) {
		return nil
	}
	t := s.tree
	child.timer = nil
	pids := []*actor.PID{child.pid}
	if !all || child.parent == nil {
		return pids
	}
	for _, n := range t.siblings(child) {
		n.stopTimer()
		n.why = directive
		if n.state == StateFailed {
			n.state = StateWaiting
			n.why = t.record(s.event(n, Decision{Action: event.ActionRestart, BudgetLeft: -1, Reason: ReasonSibling}))
		}
		pids = append(pids, n.pid)
	}
	return pids
}

// siblings lists the siblings of child that are neither stopping nor
// restarting, by path. tree.mu is held.
func (t *Tree) siblings(child *node) []*node {
	var list []*node
	for _, n := range t.nodes {
		switch {
		case n == child || n.parent != child.parent:
		case n.state == StateStopping || n.state == StateRestarting || n.stopReason != "":
		default:
			list = append(list, n)
		}
	}
	slices.SortFunc(list, func(a, b *node) int { return strings.Compare(a.path, b.path) })
	return list
}
