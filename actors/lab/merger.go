package lab

import (
	"maps"
	"slices"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/world/sim"
)

// merger makes one trace of the traces of all nodes: events are numbered anew
// in the order in which they come, and so are their causes.
type merger struct {
	sinks []event.Sink
	world *sim.Sim // which follows what stems from which event
	seq   uint64
}

// of returns a sink for one more tree.
func (m *merger) of() *part {
	return &part{merger: m, numbers: []uint64{0}, begins: []bool{true}, living: map[string]*event.Event{}}
}

type part struct {
	*merger
	numbers []uint64                // new numbers, by the numbers in its own tree
	begins  []bool                  // which of them are starts of incarnations, or none
	living  map[string]*event.Event // the last start of each actor, by path
	over    bool
}

// Record implements event.Sink.
func (p *part) Record(e *event.Event) {
	if p.over { // its process has been killed, and later events do not count
		return
	}
	one := *e
	one.Cause = p.numbers[e.Cause]
	if from := p.world.Origin(); p.begins[e.Cause] && stems(e.Kind) && from != one.Cause {
		one.Origin = from
	}
	p.write(&one)
	begins := e.Kind == event.Started || e.Kind == event.Restarted
	if begins || stems(e.Kind) && e.Kind != event.Spawned { // what a parent does next does not stem from its child
		p.world.Stem(p.seq, begins)
	}
	p.numbers, p.begins = append(p.numbers, p.seq), append(p.begins, begins)
	switch e.Kind {
	case event.Spawned, event.Started, event.Restarted:
		p.living[e.Actor] = &one
	case event.Stopped:
		delete(p.living, e.Actor)
	}
}

// stems tells whether events of a kind stem from the message that is being
// handled, and what is sent afterwards from them.
func stems(k event.Kind) bool {
	switch k {
	case event.Started, event.Mailbox, event.Worked, event.Dropped:
		return false
	}
	return true
}

func (p *part) write(e *event.Event) {
	p.seq++
	e.Seq = p.seq
	for _, s := range p.sinks {
		s.Record(e)
	}
}

// end adds the events that the tree could not record itself: its process was
// killed, and all its actors have stopped. It returns the number of the fault.
func (p *part) end(at time.Time, why string) (seq uint64) {
	paths := slices.Sorted(maps.Keys(p.living))
	if len(paths) == 0 {
		return 0
	}
	entry := func(kind event.Kind, path string, cause uint64) *event.Event {
		last := p.living[path]
		return &event.Event{Kind: kind, Time: at, Actor: path, ActorKind: last.ActorKind, Incarnation: last.Incarnation, Cause: cause, Reason: why}
	}
	fault := entry(event.Fault, paths[0], p.living[paths[0]].Seq)
	p.write(fault)
	p.world.Stem(fault.Seq, true)
	for _, path := range slices.Backward(paths) { // children before their parents, because their paths are longer
		stopping := entry(event.Stopping, path, fault.Seq)
		p.write(stopping)
		p.write(entry(event.Stopped, path, stopping.Seq))
	}
	p.over = true
	return fault.Seq
}

// recovered adds that the root at path has made up for the fault that ended the
// process before.
func (p *part) recovered(at time.Time, path string, fault uint64, down time.Duration) {
	if root := p.living[path]; root != nil {
		p.write(&event.Event{
			Kind: event.Note, Note: event.NoteRecovered, Time: at, Actor: path, ActorKind: root.ActorKind,
			Incarnation: root.Incarnation, Cause: fault, Down: down,
		})
	}
}
