package processes

import (
	"net/url"
	"os"
	"runtime"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
)

// hostOf is the HOST:PORT of an announce URL.
func hostOf(announce string) (string, error) {
	u, err := url.Parse(announce)
	if err != nil {
		return "", err
	}
	return u.Host, nil
}

// tell makes the result of what was heard.
func (s *swarm) tell(took time.Duration) *lab.Result {
	r := &s.result
	r.Scenario, r.Played, r.Seed = s.Scenario.Name, s.Scenario, s.Seed
	r.Virtual, r.Real, r.Bounds, r.Pieces = took, took, s.Scenario.Bounds(), len(s.copies)
	s.usage.Cores, s.usage.Namespaces = runtime.NumCPU(), s.Namespaces
	r.Processes = &s.usage
	var first int64
	for _, n := range s.nodes {
		sum := n.total()
		one := lab.Node{
			Name: n.name, Class: n.class.Name, Took: -1, Seed: n.came, Arrived: n.planned,
			Downloaded: sum.Downloaded, Uploaded: sum.Uploaded, Duplicate: sum.Wasted, Restarts: sum.Restarts, Have: n.graph, Crashes: n.crashes, Repairs: n.repairs,
		}
		if !n.arrived.IsZero() {
			one.Arrived = n.arrived.Sub(s.begin)
		}
		have := n.have()
		if !n.complete.IsZero() {
			one.Took = max(0, n.complete.Sub(n.arrived))
			have = s.content.Info.Length
			if !n.came {
				r.End = max(r.End, n.complete.Sub(s.begin))
			}
		}
		one.Lost = max(0, sum.Downloaded-max(0, have-n.laid))
		for _, path := range n.traces {
			one.Messages += handled(path)
		}
		r.Messages += one.Messages
		if n.came && !s.outAt.IsZero() {
			first += sentBy(n.sent, s.outAt)
		}
		r.Nodes = append(r.Nodes, one)
	}
	r.Copies = float64(first) / float64(s.content.Info.Length)
	return r
}

// sentBy is what a node had sent by some time, between the reports before and
// after that time.
func sentBy(reports []sent, at time.Time) int64 {
	var before sent
	for _, r := range reports {
		if !r.at.Before(at) {
			if span := r.at.Sub(before.at); !before.at.IsZero() && span > 0 {
				part := float64(at.Sub(before.at)) / float64(span)
				return before.bytes + int64(part*float64(r.bytes-before.bytes))
			}
			return r.bytes
		}
		before = r
	}
	return before.bytes
}

// handled is how many messages the actors of a process have handled, as far as
// its trace tells: that of a process that was killed may lack its end.
func handled(path string) (sum uint64) {
	file, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer file.Close()
	r, err := trace.Read(file)
	if err != nil {
		return 0
	}
	for e := range r.Events() {
		if e.Kind == event.Worked && e.Work != nil && !e.Work.Device {
			sum += e.Work.Handled
		}
	}
	return sum
}
