package supervise

import (
	"errors"
	"fmt"
	"kouzui/actors/runtime/event"
	"slices"

	"github.com/asynkron/protoactor-go/actor"
)

// Reasons of directives and stops. Callers of Stop may give others.
const (
	ReasonNormal    = "normal"
	ReasonParent    = "parent"    // the parent stops or restarts
	ReasonBudget    = "budget"    // too many restarts
	ReasonFailed    = "failed"    // its supervisor does not restart it
	ReasonSibling   = "sibling"   // the group restarts because another one failed
	ReasonEscalated = "escalated" // it is the root, and its failure could not be escalated further
	ReasonShutdown  = "shutdown"
)

// DesignedFailure is what Fail panics with.
type DesignedFailure struct{ Err error }

func (f *DesignedFailure) Error() string { return f.Err.Error() }

// Unwrap returns the error that was given to Fail.
func (f *DesignedFailure) Unwrap() error { return f.Err }

// Fail ends this incarnation of the calling actor. The supervisor decides as
// after a panic, but the trace distinguishes a designed failure, such as a
// removed disk, from a bug.
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

// Stop stops an actor of the same tree and records why. If a stop is given
// several reasons, the first one is recorded.
func Stop(c actor.Context, pid *actor.PID, reason string) {
	if n, ok := nodeOf(c); ok {
		n.tree.stop(pid, reason, n.tree.originOf(n))
	}
	c.Stop(pid)
}

// StopSelf stops the calling actor and records why.
func StopSelf(c actor.Context, reason string) { Stop(c, c.Self(), reason) }

// stop records why an actor is about to stop. The channel that it returns is
// closed when the actor has stopped; it is nil if there is no such actor.
func (t *Tree) stop(pid *actor.PID, reason string, cause uint64) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, ok := t.nodes[pid.GetId()]
	if !ok {
		return nil
	}
	n.endFor(reason, cause)
	return n.gone
}

func (t *Tree) originOf(n *node) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return n.origin()
}

// Incarnation is the number of the calling actor's incarnation, from 1; each
// restart raises it.
func Incarnation(c actor.Context) int {
	n, ok := nodeOf(c)
	if !ok {
		return 1
	}
	return n.incarnation // written by this actor's own mailbox only
}

// Remark records in the trace, as an event of kind Note, something that an
// actor has done in its own work, such as a ban. It does nothing unless the
// tree takes notes, see TakeNotes.
func Remark(c actor.Context, what string, details ...event.Detail) {
	if n, ok := nodeOf(c); ok && n.tree.notes.Load() {
		n.remark(what, slices.Clone(details)) // a copy: without one, the caller would have to allocate details also when no notes are taken
	}
}

func (n *node) remark(what string, details []event.Detail) {
	n.tree.mu.Lock()
	defer n.tree.mu.Unlock()
	e := n.event(event.Note, n.alive)
	e.Note = what
	e.Detail = details
	n.tree.record(e)
}

// TakeNotes sets whether remarks go into the trace. By default they do not.
func (t *Tree) TakeNotes(wanted bool) { t.notes.Store(wanted) }
