package lab

import (
	"slices"
	"time"

	"kouzui/actors/world/sim"
)

// Leg is a stretch of time on the path to the last completion.
type Leg struct {
	From, Until time.Duration
	Node        string // where the time passed
	What        sim.Sort
	By          string // the kind of actor that had it pass, or was told then; "": none
}

// path is the critical path of the last completion: the legs that have led to
// it, without a gap, the first one first. nil: no downloader was complete.
func (r *run) path() (legs []Leg) {
	var last *node
	for _, n := range r.nodes {
		if n.complete >= 0 && n.last != nil && (last == nil || n.complete > last.complete) {
			last = n
		}
	}
	if last == nil {
		return nil
	}
	for l := last.last; l.From != nil; l = l.From {
		legs = append(legs, Leg{l.From.At, l.At, l.Host, l.What, l.By})
	}
	slices.Reverse(legs)
	return legs
}
