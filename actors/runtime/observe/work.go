package observe

import "kouzui/actors/runtime/work"

const (
	// spansShown is how many spans, of a second each, are summed up for the page:
	// long enough for actors that get few messages, and short enough to see a
	// change.
	spansShown = 10
	// maxFlows is how many rows of who sends what to whom a page is sent, the most
	// frequent ones.
	maxFlows = 200
)

// doing is what the actors do: how busy each kind is, and who sends what to
// whom. It is never changed.
type doing struct {
	Seconds float64       `json:"seconds"` // that it sums up
	Cores   int           `json:"cores"`
	Kinds   []work.Worker `json:"kinds"`
	Flows   []work.Flow   `json:"flows"`
	LeftOut int           `json:"flows_left_out,omitempty"`
	version uint64
}

// worked adds what was done in one more span.
func (m *model) worked(s *work.Span) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spans = append(m.spans, s)
	m.spans = m.spans[max(0, len(m.spans)-spansShown):]
	d := &doing{version: m.change()}
	d.Kinds, d.Flows = work.Sum(m.spans)
	for _, one := range m.spans {
		d.Seconds += one.Length.Seconds()
		for _, w := range one.Kinds {
			d.Cores = max(d.Cores, w.Cores)
		}
	}
	if more := len(d.Flows) - maxFlows; more > 0 {
		d.LeftOut, d.Flows = more, d.Flows[:maxFlows]
	}
	m.doing = d
}

// rested forgets what was done: nobody looks any more.
func (m *model) rested() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.doing, m.spans = nil, nil
}
