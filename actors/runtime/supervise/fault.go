package supervise

import (
	"fmt"
	"kouzui/actors/runtime/event"
	"time"
)

// Injector is asked before each user message what goes wrong at it. It must be
// quick and safe for concurrent use.
type Injector func(path, kind string, message any) Injection

// Injection is a fault on purpose. The zero value is none; unless one of the
// other fields says otherwise, the actor panics in place of handling the
// message.
type Injection struct {
	Reason string // goes into the trace, with which nothing happens unrecorded
	// Hang: the actor handles the message only after this time, in which it holds
	// the goroutine that it runs on, or stands still if its mailbox is one that
	// Holds. A virtual clock that is advanced by that same goroutine never gets
	// there.
	Hang time.Duration
	// Delay: the message comes again after this time, behind those that came
	// meanwhile, and is not asked about a second time.
	Delay time.Duration
	// Break breaks something that the actor uses; then it handles the message.
	// What it calls must not block.
	Break func()
}

// Holds is a mailbox in a world in which actors have no goroutines to block:
// for a time it hands over nothing, and then first this message.
type Holds interface {
	Hold(d time.Duration, first any)
}

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
	return t.send(path, &kill{reason})
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

// Blame records a fault in what an actor uses, as the cause of the actor's next
// failure or stop in this incarnation.
func (t *Tree) Blame(path, reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, ok := t.nodes[path]; ok {
		n.fault = n.faulty(reason)
	}
}

// faulty records a fault. tree.mu is held.
func (n *node) faulty(reason string) uint64 {
	e := n.event(event.Fault, n.alive)
	e.Reason = reason
	return n.tree.record(e)
}

type kill struct{ reason string }

// late is a message that was delayed on purpose.
type late struct{ message any }

type probe struct{ sent time.Time }

// IgnoreDeadLetterLogging keeps these out of the trace.
func (*kill) IgnoreDeadLetterLogging()  {}
func (*probe) IgnoreDeadLetterLogging() {}
func (*late) IgnoreDeadLetterLogging()  {}

// injected is what an actor panics with on purpose of somebody else.
type injected struct{ reason string }

func (i *injected) Error() string { return "injected fault: " + i.reason }

// injected carries out what the injector says about a message, and returns
// whether the message is to be handled now.
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

// record notes a fault, which may be to blame for what becomes of the actor.
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
