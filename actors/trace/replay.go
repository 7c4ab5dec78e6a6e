package trace

import (
	"maps"
	"slices"

	"kouzui/actors/supervise"
)

// Replay rebuilds the tree from its events: what Tree.Snapshot said at any
// time, but for the depths of mailboxes. The zero value is an empty tree.
type Replay struct {
	nodes map[string]*supervise.Node
}

// Apply takes the next event.
func (r *Replay) Apply(e *supervise.Event) {
	if e.Kind == supervise.Spawned {
		if r.nodes == nil {
			r.nodes = map[string]*supervise.Node{}
		}
		r.nodes[e.Actor] = &supervise.Node{
			Path:   e.Actor,
			Kind:   e.ActorKind,
			Parent: e.Parent,
			State:  supervise.StateStarting,
		}
		return
	}
	n, ok := r.nodes[e.Actor]
	if !ok {
		return
	}
	switch e.Kind {
	case supervise.Started, supervise.Restarted:
		n.State = supervise.StateRunning
		n.Incarnation = e.Incarnation
		n.Restarts = max(e.Incarnation-1, 0)
	case supervise.Failed, supervise.Escalated:
		n.State = supervise.StateFailed
		n.LastReason = e.Reason
	case supervise.Directive:
		if e.Action == supervise.ActionRestart {
			n.State = supervise.StateWaiting
		}
	case supervise.Restarting:
		n.State = supervise.StateRestarting
	case supervise.Stopping:
		n.State = supervise.StateStopping
	case supervise.Stopped:
		delete(r.nodes, e.Actor)
	}
}

// Nodes lists the actors that live now, by path.
func (r *Replay) Nodes() []supervise.Node {
	nodes := make([]supervise.Node, 0, len(r.nodes))
	for _, path := range slices.Sorted(maps.Keys(r.nodes)) {
		nodes = append(nodes, *r.nodes[path])
	}
	return nodes
}
