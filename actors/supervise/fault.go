package supervise

import (
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Reasons of directives and stops. Others may be given to Stop.
const (
	ReasonNormal    = "normal"
	ReasonParent    = "parent"    // the parent stops or restarts
	ReasonBudget    = "budget"    // too many restarts
	ReasonFailed    = "failed"    // its supervisor restarts nothing
	ReasonSibling   = "sibling"   // the group restarts because another one failed
	ReasonEscalated = "escalated" // a failure that went up beyond the root
	ReasonShutdown  = "shutdown"
)

// DesignedFailure is what Fail panics with.
type DesignedFailure struct{ Err error }

func (f *DesignedFailure) Error() string { return f.Err.Error() }

// Unwrap returns the error that was given to Fail.
func (f *DesignedFailure) Unwrap() error { return f.Err }

// Fail ends this incarnation of the calling actor: its supervisor answers as
// after a panic, but the trace tells a designed failure from a bug.
func Fail(err error) { panic(&DesignedFailure{err}) }

func designed(reason any) bool {
	err, ok := reason.(error)
	var f *DesignedFailure
	return ok && errors.As(err, &f)
}

// reasonOf prints what an actor panicked with.
func reasonOf(reason any) string {
	switch r := reason.(type) {
	case error, string, fmt.Stringer:
		return fmt.Sprint(r)
	default:
		return fmt.Sprintf("%T: %v", r, r)
	}
}

// Stop stops an actor of the same tree and records why. The first reason given
// for a stop is the one that stays.
func Stop(c actor.Context, pid *actor.PID, reason string) {
	if n, ok := nodeOf(c); ok {
		n.tree.stop(pid, reason, n.tree.aliveOf(n))
	}
	c.Stop(pid)
}

// StopSelf stops the calling actor and records why.
func StopSelf(c actor.Context, reason string) { Stop(c, c.Self(), reason) }

// stop notes why an actor will stop; it returns when it is gone, or nil if
// it is not there.
func (t *Tree) stop(pid *actor.PID, reason string, cause uint64) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, ok := t.nodes[pid.GetId()]
	if !ok {
		return nil
	}
	if n.stopReason == "" {
		n.stopReason, n.why = reason, cause
	}
	return n.gone
}

func (t *Tree) aliveOf(n *node) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return n.alive
}

// Incarnation counts the calling actor's lives, from 1. What answers later
// carries it, so that a new incarnation knows what is not meant for it.
func Incarnation(c actor.Context) int {
	n, ok := nodeOf(c)
	if !ok {
		return 1
	}
	return n.incarnation // written by this actor's own mailbox only
}

// Remark writes a note into the trace.
func Remark(c actor.Context, text string) {
	n, ok := nodeOf(c)
	if !ok {
		return
	}
	n.tree.mu.Lock()
	defer n.tree.mu.Unlock()
	e := n.event(Note, n.alive)
	e.Reason = text
	n.tree.record(e)
}

// Injector is asked before each user message; a fault that it returns makes
// the actor panic instead. It must be quick and safe for concurrent use.
type Injector func(path, kind string, message any) FaultReason

// FaultReason says what broke the actor; empty means nothing does.
type FaultReason string

// Inject sets the injector; nil takes it away.
func (t *Tree) Inject(f Injector) {
	if f == nil {
		t.inject.Store(nil)
		return
	}
	t.inject.Store(&f)
}

// Kill makes an actor panic once it comes to this message in its mailbox.
func (t *Tree) Kill(path, reason string) error {
	return t.send(path, &kill{FaultReason(reason)})
}

// Probe has an actor's mailbox measured: its depth, and how long the probe
// waited in it, come as a Mailbox event.
func (t *Tree) Probe(path string) error {
	return t.send(path, &probe{t.Clock.Now()})
}

func (t *Tree) send(path string, message any) error {
	t.mu.Lock()
	n, ok := t.nodes[path]
	t.mu.Unlock()
	if !ok {
		return fmt.Errorf("no actor at %q", path)
	}
	t.System.Root.Send(n.pid, message)
	return nil
}

type kill struct{ fault FaultReason }

type probe struct{ sent time.Time }

// IgnoreDeadLetterLogging keeps these out of the trace.
func (*kill) IgnoreDeadLetterLogging()  {}
func (*probe) IgnoreDeadLetterLogging() {}

// injected is what an actor panics with on purpose of somebody else.
type injected struct{ reason string }

func (i *injected) Error() string { return "injected fault: " + i.reason }

func (n *node) strike(f FaultReason) {
	if f == "" {
		return
	}
	n.tree.mu.Lock()
	e := n.event(Fault, n.alive)
	e.Reason = string(f)
	n.fault = n.tree.record(e)
	n.tree.mu.Unlock()
	panic(&injected{string(f)})
}

func (n *node) probed(p *probe) {
	n.tree.mu.Lock()
	defer n.tree.mu.Unlock()
	e := n.event(Mailbox, n.alive)
	e.Depth = n.depth()
	e.Waited = n.tree.since(p.sent)
	n.tree.record(e)
}

// swallowed records a panic that does not reach the supervisor.
func (n *node) swallowed(reason, message any, stack string) {
	n.tree.mu.Lock()
	defer n.tree.mu.Unlock()
	e := n.event(Note, n.leaving)
	e.Reason = "panic in a handler of " + typeOf(message) + ": " + reasonOf(reason)
	e.MessageType = typeOf(message)
	e.Stack = stack
	n.tree.record(e)
}

func (n *node) inRestart() bool {
	n.tree.mu.Lock()
	defer n.tree.mu.Unlock()
	return n.state == StateRestarting
}
