package processes

import (
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/lab"
)

// again repeats an event that has Every set, while any node is not complete.
func (s *swarm) again(e lab.Event) {
	if e.Every == 0 {
		return
	}
	e.At += e.Every
	s.after(time.Duration(e.At), func() {
		if s.coming == 0 && !slices.ContainsFunc(s.nodes, (*node).owes) {
			return
		}
		s.events++
		s.happen(e)
		s.again(e)
	})
}

// happen begins an event, and enters its end.
func (s *swarm) happen(e lab.Event) {
	lasts := time.Duration(e.For)
	if e.Do == "tracker" {
		s.mark(e.Do, nil, lasts, "")
		s.tracker.kill()
		<-s.tracker.ended
		s.usage.Busy += s.tracker.busy()
		s.after(s.now()+lasts, func() {
			s.events--
			s.raiseTracker()
		})
		return
	}
	if e.Do == "partition" {
		s.mark(e.Do, nil, lasts, "")
		s.network.cut()
		s.after(s.now()+lasts, func() {
			s.events--
			s.network.heal()
		})
		return
	}
	if lasts == 0 {
		lasts = reboot
	}
	for _, n := range s.victims(e) {
		s.strike(n, lasts)
	}
	s.after(s.now()+lasts, func() { s.events-- })
}

// raiseTracker starts the tracker again, at the same port.
func (s *swarm) raiseTracker() {
	p, _, err := s.startTracker(s.listen, time.Duration(s.Scenario.Announce))
	if err != nil {
		s.blame(&node{name: "tracker"}, "it cannot be started again: %v", err)
		return
	}
	s.usage.Started++
	s.tracker = p
}

// victims draws the nodes that an event concerns, of those that run.
func (s *swarm) victims(e lab.Event) []*node {
	var list []*node
	for _, n := range s.nodes {
		if n.runs() && !n.ending && (e.Class == "" || e.Class == n.class.Name) {
			list = append(list, n)
		}
	}
	s.rnd.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
	if e.Count > 0 && e.Count < len(list) {
		list = list[:e.Count]
	}
	return list
}

// strike kills the process of a node. Another one is started later, and not
// before the first has ended.
func (s *swarm) strike(n *node, down time.Duration) {
	s.mark("kill", n, down, "")
	n.ending, n.down, n.back = true, true, s.now()+down
	n.crashes++
	n.killed = time.Now()
	n.process.kill()
	s.events++
}

// mark records that something has happened.
func (s *swarm) mark(what string, n *node, lasts time.Duration, about string) {
	m := lab.Mark{At: s.now(), Until: s.now() + lasts, What: what, About: about}
	if n != nil {
		m.Node = n.name
	}
	if len(s.result.Marks) == maxMarks {
		s.result.Missed++
		return
	}
	s.result.Marks = append(s.result.Marks, m)
}

// maxMarks limits how many marks a run keeps.
const maxMarks = 10_000

// sample describes the swarm as it is now, and again later.
func (s *swarm) sample() {
	at := time.Duration(len(s.result.Samples)) * every
	var unfinished []*bitset.BitSet
	for _, n := range s.nodes {
		if n.runs() && n.complete.IsZero() && n.pieces.Any() {
			unfinished = append(unfinished, n.pieces)
		}
	}
	one := lab.NewSample(at, s.copies, s.owned, unfinished)
	for _, n := range s.nodes {
		sum := n.total()
		one.Downloaded += sum.Downloaded
		one.Uploaded += sum.Uploaded
		if n.runs() {
			one.Nodes++
			if !n.complete.IsZero() {
				one.Complete++
			}
		}
	}
	s.result.Samples = append(s.result.Samples, one)
	s.after(at+every, s.sample)
	switch waits := s.coming > 0 || slices.ContainsFunc(s.nodes, func(n *node) bool { return n.down && !n.gone }); {
	case one.Least > 0 || waits:
		s.lacking = 0
	case s.lacking == 0:
		s.lacking = s.now()
	}
}
