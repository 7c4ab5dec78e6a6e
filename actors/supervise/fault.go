package supervise

import (
	"fmt"
	"time"
)

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
