package lab

import (
	"time"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world/sim"
	"kouzui/messages"
)

// Inside is a run that has paused, for a debugger. What it returns is to be
// read only, and before the run goes on.
type Inside struct{ run *run }

// Participant is a node or a foe as it stands.
type Participant struct {
	Name  string
	Class string
	State ParticipantState
	Comes time.Duration // when it arrives, since the start
	Host  *sim.Host     // nil: it has not arrived
	// Tree is that of its process; nil: none runs, or it is hostile and has none.
	Tree     *supervise.Tree
	Progress messages.Progress // as its process has told last
	Length   int64             // of the content, in bytes
	Complete bool
	Crashes  int // how often its process was ended
}

// ParticipantState is what a participant is about.
type ParticipantState string

// The states of a participant. In StateDown its process was ended, and another
// one will be started.
const (
	StateComing  ParticipantState = "coming"
	StateRunning ParticipantState = "running"
	StateDown    ParticipantState = "down"
	StateGone    ParticipantState = "gone"
	StateHostile ParticipantState = "hostile"
)

// World is the simulated world.
func (i *Inside) World() *sim.Sim { return i.run.sim }

// Digest is the sum of the journal of all that has happened; 0: none is kept.
func (i *Inside) Digest() uint64 {
	if j := i.run.options.Journal; j != nil {
		return j.Sum()
	}
	return 0
}

// Wrong are the checks that have failed so far.
func (i *Inside) Wrong() []error { return i.run.wrong }

// Participants are the nodes, those that have not arrived among them, and then
// the foes that have.
func (i *Inside) Participants() (all []Participant) {
	for _, n := range i.run.nodes {
		p := Participant{
			Name: n.name, Class: n.class.Name, State: n.state(), Comes: n.arrived, Host: n.host,
			Progress: n.life, Length: i.run.content.torrent.Length, Complete: n.complete >= 0, Crashes: n.crashes,
		}
		if n.client != nil && !n.down {
			p.Tree = n.client.Tree()
		}
		all = append(all, p)
	}
	for _, f := range i.run.foes {
		all = append(all, Participant{Name: f.host.Name, Class: f.class.Name, State: StateHostile, Comes: time.Duration(f.class.Arrive), Host: f.host})
	}
	return all
}

func (n *node) state() ParticipantState {
	switch {
	case n.host == nil:
		return StateComing
	case n.down:
		return StateDown
	case n.gone:
		return StateGone
	}
	return StateRunning
}

// release lets go of what a run has that was ended at a moment: a client that
// is shut down already is not shut down again.
func (r *run) release() {
	for _, f := range r.foes {
		f.threads.end()
	}
	if r.tracker != nil {
		r.tracker.release()
	}
	for _, b := range r.bares {
		if b.client != nil {
			_ = b.client.Shutdown(0)
		}
	}
	for _, n := range r.nodes {
		if n.client != nil {
			_ = n.client.Shutdown(0) // its actors will not answer any more
		}
	}
}
