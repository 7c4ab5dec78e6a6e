package lab

import (
	"maps"
	"slices"
	"time"

	"kouzui/actors/runtime/event"
)

// merger makes one trace of those of all nodes: events are numbered anew, in
// the order in which they come, and their causes with them.
type merger struct {
	sinks []event.Sink
	seq   uint64
}

// of is the sink of one more tree.
func (m *merger) of() *part {
	return &part{merger: m, numbers: []uint64{0}, living: map[string]*event.Event{}}
}

type part struct {
	*merger
	numbers []uint64                // by those of its tree
	living  map[string]*event.Event // the last start of each actor, by path
	over    bool
}

// Record implements event.Sink.
func (p *part) Record(e *event.Event) {
	if p.over { // what the machinery still says is said of the dead
		return
	}
	one := *e
	one.Cause = p.numbers[e.Cause]
	p.write(&one)
	p.numbers = append(p.numbers, p.seq)
	switch e.Kind {
	case event.Spawned, event.Started, event.Restarted:
		p.living[e.Actor] = &one
	case event.Stopped:
		delete(p.living, e.Actor)
	}
}

func (p *part) write(e *event.Event) {
	p.seq++
	e.Seq = p.seq
	for _, s := range p.sinks {
		s.Record(e)
	}
}

// end says what the tree itself could not: its process was killed, and all of
// its actors are gone.
func (p *part) end(at time.Time, why string) {
	paths := slices.Sorted(maps.Keys(p.living))
	if len(paths) == 0 {
		return
	}
	entry := func(kind event.Kind, path string, cause uint64) *event.Event {
		last := p.living[path]
		return &event.Event{Kind: kind, Time: at, Actor: path, ActorKind: last.ActorKind, Incarnation: last.Incarnation, Cause: cause, Reason: why}
	}
	fault := entry(event.Fault, paths[0], p.living[paths[0]].Seq)
	p.write(fault)
	for _, path := range slices.Backward(paths) { // whoever is below another has the longer path
		stopping := entry(event.Stopping, path, fault.Seq)
		p.write(stopping)
		p.write(entry(event.Stopped, path, stopping.Seq))
	}
	p.over = true
}
