package lab

import "kouzui/actors/supervise"

// merger makes one trace of those of all nodes: events are numbered anew, in the
// order in which they come, and their causes with them.
type merger struct {
	sinks []supervise.Sink
	seq   uint64
}

// of is the sink of one more tree.
func (m *merger) of() supervise.Sink { return &part{m, []uint64{0}} }

type part struct {
	*merger
	numbers []uint64 // by those of its tree
}

// Record implements supervise.Sink.
func (p *part) Record(e *supervise.Event) {
	p.seq++
	p.numbers = append(p.numbers, p.seq)
	one := *e
	one.Seq, one.Cause = p.seq, p.numbers[e.Cause]
	for _, s := range p.sinks {
		s.Record(&one)
	}
}
