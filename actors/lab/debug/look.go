package debug

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/actors/world/sim"
)

// Position is where a run has paused.
type Position struct {
	Ended    bool
	Elapsed  time.Duration // all up to this time has happened
	Next     time.Duration // when what comes next happens
	Messages uint64        // whose handling has begun, or is about to
	Moment   sim.Moment    // without an actor: time is about to go on
	Recorded uint64        // events of the trace
	Digest   uint64        // of all that has happened, see Result.Sum
	Wrong    []error       // checks that have failed
}

// Position says where the run has paused.
func (d *Debugger) Position() Position {
	return Position{
		Ended: d.Ended(), Elapsed: d.elapsed, Next: d.moment.At, Messages: d.messages, Moment: d.moment,
		Recorded: d.recorded, Digest: d.inside.Digest(), Wrong: d.inside.Wrong(),
	}
}

// Participants are the nodes and foes of the swarm.
func (d *Debugger) Participants() []lab.Participant { return d.inside.Participants() }

// Due lists what will happen first on a node, and counts all that is due; a
// node without a name is any, and none.
func (d *Debugger) Due(node string, most int) ([]sim.Due, int) {
	return d.inside.World().Due(node, most)
}

// Events are the events of the trace from number after+1 on that are kept.
func (d *Debugger) Events(after uint64) []*event.Event {
	first := d.recorded - uint64(len(d.events)) // that many were forgotten
	return d.events[max(after, first)-first:]
}

// Why is the chain of events that led to event number seq, the first cause
// first, as kouzui trace why shows it; whole is false if the beginning was
// forgotten.
func (d *Debugger) Why(seq uint64) (chain []*event.Event, whole bool) {
	first := d.recorded - uint64(len(d.events))
	for seq > first && seq <= d.recorded {
		e := d.events[seq-first-1]
		chain = append(chain, e)
		if e.From() >= seq {
			break
		}
		seq = e.From()
	}
	slices.Reverse(chain)
	return chain, seq == 0
}

// Actors are the actors that live, by path, of the nodes in their order.
func (d *Debugger) Actors(which Actor) (all []supervise.Node) {
	for _, p := range d.Participants() {
		if p.Tree == nil {
			continue
		}
		for _, n := range p.Tree.Snapshot() {
			if which.Match(n.Path) {
				all = append(all, n)
			}
		}
	}
	return all
}

// mostMeant is how many actors an error lists.
const mostMeant = 8

// Actor is the one actor that is meant. The path of an actor means that actor,
// whatever else is called so.
func (d *Debugger) Actor(which Actor) (supervise.Node, error) {
	found := d.Actors(which)
	if i := slices.IndexFunc(found, func(n supervise.Node) bool { return n.Path == string(which) }); i >= 0 {
		return found[i], nil
	}
	switch len(found) {
	case 0:
		return supervise.Node{}, fmt.Errorf("no actor %q runs now", clean(string(which)))
	case 1:
		return found[0], nil
	}
	var paths []string
	for _, n := range found[:min(len(found), mostMeant)] {
		paths = append(paths, n.Path)
	}
	if n := len(found) - mostMeant; n > 0 {
		paths = append(paths, fmt.Sprintf("and %d more", n))
	}
	return supervise.Node{}, fmt.Errorf("%q may be %s", clean(string(which)), strings.Join(paths, ", "))
}

// Box opens the mailbox of the actor at a path; nil: it does not run.
func (d *Debugger) Box(path string) *sim.Box {
	name, _, _ := strings.Cut(path, "/")
	for _, p := range d.Participants() {
		if p.Name == name && p.Tree != nil {
			if m := p.Tree.MailboxOf(path); m != nil {
				return sim.OpenMailbox(m)
			}
		}
	}
	return nil
}

var errNothing = errors.New("nothing runs there now")

// Look reads what the actor at a path holds: all, or what a path of fields
// leads to.
func (d *Debugger) Look(actor, fields string) (Value, error) {
	b := d.Box(actor)
	if b == nil || b.Actor == nil {
		return Value{}, errNothing
	}
	return read(b.Actor, fields, d.timer)
}

// text is what Look shows; empty: nothing.
func (d *Debugger) text(actor, fields string) string {
	v, err := d.Look(actor, fields)
	if err != nil {
		return ""
	}
	return v.String()
}

// Read reads what a message holds.
func (d *Debugger) Read(message any, fields string) (Value, error) {
	return read(message, fields, d.timer)
}

// timer says when a timer is due; empty: it is no timer.
func (d *Debugger) timer(v any) string {
	t, is := v.(world.Timer)
	if !is {
		return ""
	}
	at, set := d.inside.World().When(t)
	if !set {
		return "timer, not set"
	}
	return fmt.Sprintf("timer, due at %v", at)
}

// Name is the name of a message, with its package.
func Name(message any) string {
	if of, is := message.(interface{ Deceased() *actor.PID }); is {
		return "actor.Terminated of " + of.Deceased().GetId()
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", message), "*")
}
