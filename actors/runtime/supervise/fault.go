package supervise

import (
	"fmt"
	"kouzui/actors/runtime/event"
	"time"
)

// Injector is asked before each user message what is to go wrong at this
// message. It must be quick and safe for concurrent use.
type Injector func(path, kind string, message any) Injection

// Injection is a fault on purpose. The zero value is no fault. With a Reason
// and none of the other fields, the actor panics in place of handling the
// message.
type Injection struct {
	Reason string // for the trace; empty: no fault
	// Hang: the actor handles the message only after this time. Meanwhile it
	// blocks its goroutine or, if its mailbox implements Holds, reads no messages.
	// If that same goroutine advances a virtual clock, the actor must have such a
	// mailbox, or the time would never pass.
	Hang time.Duration
	// Delay: the message is sent to the actor again after this time, and is then
	// behind all messages that were sent meanwhile. The injector is not asked
	// about it a second time.
	Delay time.Duration
	// Break is called before the actor handles the message, to break something
	// that the actor uses. It must not block.
	Break func()
}

// Holds is implemented by mailboxes of a world whose actors have no goroutine
// of their own to block. Hold stops delivery for d; then first is the first
// message to be delivered.
type Holds interface {
	Hold(d time.Duration, first any)
}

// Inject sets the injector of the tree; nil removes it.
func (t *Tree) Inject(f Injector) {
	if f == nil {
		t.inject.Store(nil)
		return
	}
	t.inject.Store(&f)
}

// Kill sends a message to an actor that makes it panic when it reads that
// message.
func (t *Tree) Kill(path, reason string) error {
	return t.send(path, &kill{reason})
}

// Probe sends a message to an actor that measures its mailbox: a Mailbox event
// then reports how many messages wait, and how long the probe has waited.
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

// Blame records a fault in something that the actor at path uses. The trace
// shows it as the cause of the actor's next failure or stop in this
// incarnation.
func (t *Tree) Blame(path, reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, ok := t.nodes[path]; ok {
		n.fault = n.faulty(reason)
	}
}

// faulty records a fault of the node, and returns its number. tree.mu is held.
func (n *node) faulty(reason string) uint64 {
	e := n.event(event.Fault, n.alive)
	e.Reason = reason
	return n.tree.record(e)
}

type kill struct{ reason string }

// late is a message that was delayed on purpose, or that a Hold has held.
type late struct{ message any }

type probe struct{ sent time.Time }

// IgnoreDeadLetterLogging keeps messages of this package out of the trace.
func (*kill) IgnoreDeadLetterLogging()  {}
func (*probe) IgnoreDeadLetterLogging() {}
func (*late) IgnoreDeadLetterLogging()  {}

// injected is the value of a panic that was ordered by an Injector or by Kill.
type injected struct{ reason string }

func (i *injected) Error() string { return "injected fault: " + i.reason }

// injected asks the injector about a message and carries out its answer. It
// returns whether the actor is to handle the message now.
func (n *node) injected(message any) bool {
	ask := n.tree.inject.Load()
	if ask == nil {
		return true
	}
	in := (*ask)(n.path, n.kind, inner(message))
	switch {
	case in.Reason == "":
		return true
	case in.Hang > 0:
		n.record(in.Reason, false)
		if m, is := n.mailbox.(Holds); is {
			m.Hold(in.Hang, &late{message})
			return false
		}
		over := make(chan struct{})
		n.tree.Clock.AfterFunc(in.Hang, func() { close(over) })
		<-over
		return true
	case in.Delay > 0:
		n.record(in.Reason, false)
		root, pid := n.tree.System.Root, n.pid
		n.tree.Clock.AfterFunc(in.Delay, func() { root.Send(pid, &late{message}) })
		return false
	case in.Break != nil:
		n.record(in.Reason, true)
		in.Break()
		return true
	}
	n.strike(in.Reason)
	return false
}

func (n *node) strike(reason string) {
	n.record(reason, true)
	panic(&injected{reason})
}

// record records a fault; if blame is true, the fault is the cause of the
// actor's next failure or stop.
func (n *node) record(reason string, blame bool) {
	n.tree.mu.Lock()
	defer n.tree.mu.Unlock()
	if fault := n.faulty(reason); blame {
		n.fault = fault
	}
}

func (n *node) probed(p *probe) {
	n.tree.mu.Lock()
	defer n.tree.mu.Unlock()
	e := n.event(event.Mailbox, n.alive)
	e.Depth = n.depth()
	e.Waited = n.tree.since(p.sent)
	n.tree.record(e)
}
