package lab

import (
	"maps"
	"slices"
	"time"

	"kouzui/actors/runtime/supervise"
)

// merger makes one trace of those of all nodes: events are numbered anew, in the
// order in which they come, and their causes with them.
type merger struct {
	sinks []supervise.Sink
	seq   uint64
}

// of is the sink of one more tree.
func (m *merger) of() *part {
	return &part{merger: m, numbers: []uint64{0}, living: map[string]*supervise.Event{}}
}

type part struct {
	*merger
	numbers []uint64                    // by those of its tree
	living  map[string]*supervise.Event // the last start of each actor, by path
	over    bool
}

// Record implements supervise.Sink.
func (p *part) Record(e *supervise.Event) {
	if p.over { // what the machinery still says is said of the dead
		return
	}
	one := *e
	one.Cause = p.numbers[e.Cause]
	p.write(&one)
	p.numbers = append(p.numbers, p.seq)
	switch e.Kind {
	case supervise.Spawned, supervise.Started, supervise.Restarted:
		p.living[e.Actor] = &one
	case supervise.Stopped:
		delete(p.living, e.Actor)
	}
}

func (p *part) write(e *supervise.Event) {
	p.seq++
	e.Seq = p.seq
	for _, s := range p.sinks {
		s.Record(e)
	}
}

// end says what the tree itself could not: its process was killed, and all of its
// actors are gone.
func (p *part) end(at time.Time, why string) {
	paths := slices.Sorted(maps.Keys(p.living))
	if len(paths) == 0 {
		return
	}
	event := func(kind supervise.Kind, path string, cause uint64) *supervise.Event {
		last := p.living[path]
		return &supervise.Event{Kind: kind, Time: at, Actor: path, ActorKind: last.ActorKind, Incarnation: last.Incarnation, Cause: cause, Reason: why}
	}
	fault := event(supervise.Fault, paths[0], p.living[paths[0]].Seq)
	p.write(fault)
	for _, path := range slices.Backward(paths) { // whoever is below another has the longer path
		stopping := event(supervise.Stopping, path, fault.Seq)
		p.write(stopping)
		p.write(event(supervise.Stopped, path, stopping.Seq))
	}
	p.over = true
}
