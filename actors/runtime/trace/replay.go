package trace

import (
	"maps"
	"slices"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
)

// Life is what a trace tells of one actor.
type Life struct {
	supervise.Node // all fields but MailboxDepth

	Depth    int           // of the mailbox, as last sampled
	Strategy string        // that its children are under
	Spawned  time.Time     // when
	Since    time.Time     // since when it has been in its state
	Down     time.Duration // total time between failures and restarts
	// DownSince is when it failed; zero when it has been restarted.
	DownSince time.Time
	Failures  int
	Gone      bool   // it has stopped
	Ending    string // why
}

// Replay rebuilds the tree from its events: what Tree.Snapshot said at any
// time, but for the depths of mailboxes. The zero value is an empty tree.
type Replay struct {
	// Keep also remembers the actors that have stopped. An actor that is spawned
	// at the path of one of them replaces it.
	Keep bool

	lives map[string]*Life
}

// Apply takes the next event.
func (r *Replay) Apply(e *event.Event) {
	if e.Kind == event.Spawned {
		if r.lives == nil {
			r.lives = map[string]*Life{}
		}
		r.lives[e.Actor] = &Life{
			Node:     supervise.Node{Path: e.Actor, Kind: e.ActorKind, Parent: e.Parent, State: supervise.StateStarting},
			Strategy: e.Strategy, Spawned: e.Time, Since: e.Time,
		}
		return
	}
	l, ok := r.lives[e.Actor]
	if !ok || l.Gone {
		return
	}
	state := l.State
	switch e.Kind {
	case event.Started, event.Restarted:
		l.State = supervise.StateRunning
		l.Incarnation = e.Incarnation
		l.Restarts = max(e.Incarnation-1, 0)
		l.Down += e.Down
		l.DownSince = time.Time{}
	case event.Failed, event.Escalated:
		l.State = supervise.StateFailed
		l.LastReason = e.Reason
		l.Failures++
		l.DownSince = e.Time
	case event.Directive:
		if e.Action == event.ActionRestart {
			l.State = supervise.StateWaiting
		}
	case event.Restarting:
		l.State = supervise.StateRestarting
	case event.Stopping:
		l.State = supervise.StateStopping
	case event.Stopped:
		l.Gone, l.Ending = true, e.Reason
		if !r.Keep {
			delete(r.lives, e.Actor)
		}
	case event.Mailbox:
		l.Depth = e.Depth
	}
	if l.State != state || l.Gone {
		l.Since = e.Time
	}
}

// Living is how many actors live now.
func (r *Replay) Living() (n int) {
	for _, l := range r.lives {
		if !l.Gone {
			n++
		}
	}
	return n
}

// Lives lists all actors that are remembered, by path.
func (r *Replay) Lives() []Life {
	lives := make([]Life, 0, len(r.lives))
	for _, path := range slices.Sorted(maps.Keys(r.lives)) {
		lives = append(lives, *r.lives[path])
	}
	return lives
}

// Nodes lists the actors that live now, by path.
func (r *Replay) Nodes() []supervise.Node {
	nodes := make([]supervise.Node, 0, len(r.lives))
	for _, l := range r.Lives() {
		if !l.Gone {
			nodes = append(nodes, l.Node)
		}
	}
	return nodes
}
