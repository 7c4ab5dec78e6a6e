package supervise

import (
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/ctxext"

	"kouzui/actors/runtime/event"
	"kouzui/actors/world"
)

// State is the state of an actor between its spawn and its end.
type State string

// The states of an actor. In StateFailed it waits for the decision of its
// supervisor, in StateWaiting for its delayed restart; it handles no messages
// in either.
const (
	StateStarting   State = "starting"
	StateRunning    State = "running"
	StateFailed     State = "failed"
	StateWaiting    State = "waiting"
	StateRestarting State = "restarting"
	StateStopping   State = "stopping"
)

var extension = ctxext.NextContextExtensionID()

// node is an actor from its spawn until it has stopped, across its restarts. It
// is kept as an extension of the actor's context.
type node struct {
	tree   *Tree
	pid    *actor.PID
	path   string
	kind   string
	parent *node // nil for a root

	// The following are used by the actor's own mailbox only, without the lock.
	over    bool // this incarnation has failed or is being replaced
	closing bool // the actor is stopping
	lost    int  // messages to this incarnation that were never handled
	inOrder bool // the Terminated being handled has waited for its turn

	// The following are guarded by tree.mu.
	mailbox     actor.Mailbox
	ages        *ages // nil: the times of sending are not remembered
	sampled     bool  // the last sample found messages waiting
	state       State
	incarnation int
	failedAt    time.Time
	lastReason  string
	history     History
	rand        *rand.Rand
	timer       world.Timer // of the delayed restart

	alive   uint64 // Seq of the last Spawned, Started or Restarted
	fault   uint64 // Seq of a fault of this incarnation that has not led to a failure or stop yet; or 0
	failure uint64 // Seq of the last Failed or Escalated
	leaving uint64 // Seq of the Restarting or Stopping under way

	why        uint64 // Seq of the event that asked for the coming restart or stop
	stopReason string

	gone chan struct{} // closed when the actor has stopped
}

// ExtensionID implements ctxext.ContextExtension.
func (n *node) ExtensionID() ctxext.ContextExtensionID { return extension }

// nodeOf returns the node of an actor that a Tree has built.
func nodeOf(c actor.ExtensionContext) (*node, bool) {
	n, ok := c.Get(extension).(*node)
	return n, ok
}

func (n *node) parentPath() string {
	if n.parent == nil {
		return ""
	}
	return n.parent.path
}

func (n *node) depth() int {
	if n.mailbox == nil {
		return 0
	}
	return n.mailbox.UserMessageCount()
}

// event makes an event about the node. tree.mu is held.
func (n *node) event(kind event.Kind, cause uint64) *event.Event {
	return &event.Event{
		Kind:        kind,
		Actor:       n.path,
		Incarnation: n.incarnation,
		Cause:       cause,
		ActorKind:   n.kind,
		Parent:      n.parentPath(),
	}
}

// spawned enters the actor in the tree; it has no mailbox yet.
func (t *Tree) spawned(kind, strategy string, c actor.Context) {
	n := &node{
		tree:  t,
		pid:   c.Self(),
		path:  c.Self().Id,
		kind:  kind,
		state: StateStarting,
		gone:  make(chan struct{}),
	}
	c.Set(n)
	t.mu.Lock()
	defer t.mu.Unlock()
	cause := uint64(0)
	if c.Parent() != nil {
		if n.parent = t.nodes[c.Parent().Id]; n.parent != nil {
			cause = n.parent.alive
		}
	}
	t.nodes[n.path] = n
	e := n.event(event.Spawned, cause)
	e.Strategy = strategy
	n.alive = t.record(e)
}

// started begins an incarnation. The event is recorded before the actor handles
// Started, so that events of what the actor does then can name it as their
// cause.
func (n *node) started() {
	t := n.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	n.incarnation++
	n.over, n.inOrder = false, false
	e := n.event(event.Started, n.alive)
	if n.incarnation > 1 {
		e = n.event(event.Restarted, n.leaving)
		e.Down = t.since(n.failedAt)
		e.Kept = n.depth()
		e.Lost, n.lost = n.lost, 0
		n.failedAt = time.Time{}
	}
	n.state = StateRunning
	n.why, n.leaving, n.fault = 0, 0, 0
	n.alive = t.record(e)
	n.history.Started = e.Time
}

func (n *node) restarting() {
	t := n.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	n.stopTimer()
	n.state = StateRestarting
	n.over = true
	n.leaving = t.record(n.event(event.Restarting, n.cause()))
}

func (n *node) stopping() {
	t := n.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	n.stopTimer()
	n.state = StateStopping
	n.closing = true
	e := n.event(event.Stopping, n.cause())
	e.Reason = n.stopReason
	if p := n.parent; e.Reason == "" && p != nil && p.leaving != 0 {
		e.Reason, e.Cause = ReasonParent, p.leaving
	}
	set(&e.Reason, ReasonNormal)
	n.stopReason = e.Reason
	n.leaving = t.record(e)
}

// stopped removes the actor from the tree.
func (n *node) stopped() {
	t := n.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	e := n.event(event.Stopped, n.leaving)
	e.Reason = n.stopReason
	e.Lost = n.lost + n.depth()
	t.record(e)
	if t.nodes[n.path] == n {
		delete(t.nodes, n.path)
	}
	close(n.gone)
	if n.mailbox != nil {
		// The mailbox of a failed actor is suspended, and would keep its messages in
		// memory for as long as its PID is referenced. Once resumed, the mailbox
		// drops them.
		n.mailbox.PostSystemMessage(&actor.ResumeMailbox{})
	}
}

// cause is the event that asked for a restart or stop, or else the start of the
// incarnation.
func (n *node) cause() uint64 {
	if n.why != 0 {
		return n.why
	}
	return n.alive
}

func (n *node) stopTimer() {
	if n.timer != nil {
		n.timer.Stop()
		n.timer = nil
	}
}

// failedWith records that the actor panicked while it handled a message.
func (n *node) failedWith(reason, message any, stack string) {
	t := n.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	e := n.event(event.Failed, n.origin())
	e.Reason = reasonOf(reason)
	e.MessageType = typeOf(message)
	e.Stack = stack
	e.Depth = n.depth()
	if readByActor(message) {
		e.Waited = n.waited(e.Depth, -1)
		n.lost++
	}
	n.over = true
	n.fail(t.record(e), e)
}

// origin is the cause of a failure or stop that the actor itself began: a
// fault, or else the start of the incarnation. tree.mu is held.
func (n *node) origin() uint64 {
	if n.fault != 0 {
		return n.fault
	}
	return n.alive
}

// readByActor tells whether the actor itself handles the message. Such a
// message is lost if the actor fails while it handles the message.
func readByActor(message any) bool {
	switch message.(type) {
	case actor.SystemMessage, actor.AutoReceiveMessage, *kill, *farewell:
		return false
	}
	return true
}

// endFor records why the actor is going to end, unless a reason is already
// recorded. tree.mu is held.
func (n *node) endFor(reason string, cause uint64) {
	if n.stopReason == "" {
		n.stopReason, n.why = reason, cause
	}
}

// fail marks the incarnation as failed by event e. tree.mu is held.
func (n *node) fail(seq uint64, e *event.Event) {
	n.failure = seq
	n.failedAt = e.Time
	n.lastReason = e.Reason
	n.state = StateFailed
}

// swallowed records a panic while the actor was stopping or restarting, about
// which no supervisor is asked.
func (n *node) swallowed(reason, message any, stack string) {
	n.tree.mu.Lock()
	defer n.tree.mu.Unlock()
	e := n.event(event.Note, n.leaving)
	e.Note = event.NotePanic
	e.Reason = reasonOf(reason)
	e.MessageType = typeOf(message)
	e.Stack = stack
	n.tree.record(e)
}

func (n *node) inRestart() bool {
	n.tree.mu.Lock()
	defer n.tree.mu.Unlock()
	return n.state == StateRestarting
}
