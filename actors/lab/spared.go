package lab

import (
	"strings"
	"time"

	"kouzui/actors/runtime/fault"
)

// Spared is one failure of a run, to be left out: the Number-th, from 1, that a
// fault of a node makes in the Life-th process of that node; or, of a crash,
// the Number-th that an event makes at a time.
type Spared struct {
	Node   string
	Life   int
	Fault  string // what the trace says of it
	Number int
	At     time.Duration
	Crash  bool

	Met bool // there was such a failure
}

// spare tells a node's faults which of them is not to happen.
func (n *node) spare(specs []fault.Spec) {
	s := n.run.options.Spared
	if s == nil || s.Crash || s.Node != n.name || s.Life != n.host.Lives() {
		return
	}
	for i := range specs {
		if text := specs[i].String(); s.Fault == text || strings.HasPrefix(s.Fault, text+": ") {
			specs[i].Spare, specs[i].Spared = s.Number, func() { s.Met = true }
			return
		}
	}
}

// spares tells whether a crash is not to happen; count is the number of the
// crash among those that happen at this time.
func (r *run) spares(number int) bool {
	s := r.options.Spared
	if s == nil || !s.Crash || s.At != r.sim.Elapsed() || s.Number != number {
		return false
	}
	s.Met = true
	return true
}
