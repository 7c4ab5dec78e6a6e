package lab

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
)

// every is how often a Sample is taken.
const every = time.Second

// Sample describes the swarm at one time. Copies and interest are counted among
// nodes whose process runs.
type Sample struct {
	At         time.Duration
	Nodes      int
	Complete   int     // nodes that are complete
	Downloaded int64   // bytes so far, by all
	Uploaded   int64   // bytes so far, by all nodes
	Least      int     // copies of the rarest piece
	Mean       float64 // copies of a piece, on average
	Most       int
	Rare       int // pieces of which there is one copy or none
	Out        int // pieces of which some downloader has a copy
	// Entropy is the part of the ordered pairs of downloaders in which the first
	// one has a piece that the second one wants. 1 is the ideal of Legout et al.
	// (IMC 2006); NaN if there are fewer than two downloaders.
	Entropy float64
}

// Mark is something that happened to the world or to one node.
type Mark struct {
	At, Until time.Duration
	What      string // Event.Do, "restart", "fault", "escalation", "given up"; of nodes: "arrive", "complete", "leave"
	Node      string // empty: the world
	About     string // path of the actor, and why
}

// maxMarks limits how many marks a run keeps.
const maxMarks = 10_000

// record is what a run remembers for its result.
type record struct {
	samples   []Sample
	marks     []Mark
	missed    int   // marks that were not kept because there were too many
	copies    []int // of each piece, among the nodes that run
	owned     []int // copies of each piece that downloaders have
	firstCopy int64 // bytes that seeds had sent when downloaders first had all pieces; 0: not yet
}

func (r *record) begin(pieces int) {
	r.copies, r.owned = make([]int, pieces), make([]int, pieces)
}

func (r *record) mark(m Mark) {
	if len(r.marks) == maxMarks {
		r.missed++
		return
	}
	r.marks = append(r.marks, m)
}

// share is the set of pieces that a node has when it arrives.
func (r *run) share(n *node) *bitset.BitSet {
	return n.class.Share(n.index, r.content.torrent.PieceCount(), r.rnd)
}

// Share is the set of pieces that a node of the class has when it arrives. Its
// number in the class is index, from 0 on.
func (c *Class) Share(index, count int, rnd *rand.Rand) *bitset.BitSet {
	pieces := uint(count)
	have := bitset.New(pieces)
	switch {
	case c.Have == 1:
		have.SetAll()
	case c.Have > 0:
		for i := range pieces {
			have.SetTo(i, rnd.Float64() < c.Have)
		}
	case c.Copies > 0:
		for i := range pieces {
			// Each copy is dealt out piece by piece, beginning with another node each
			// time.
			for k := range c.Copies {
				if int(i+uint(k))%c.Count == index {
					have.Set(i)
				}
			}
		}
	}
	return have
}

// forget removes the pieces that a power cut has taken from the disk of a node.
func (r *run) forget(n *node) {
	if n.pieces == nil {
		return
	}
	for piece := range n.pieces.Clone().EachSet() {
		if r.has(n, int(piece)) {
			continue
		}
		n.pieces.Clear(piece)
		if n.class.Have < 1 {
			r.record.owned[piece]--
		}
	}
}

// gain notes that a node has a piece.
func (r *run) gain(n *node, piece uint) {
	if n.pieces == nil {
		n.pieces = bitset.New(uint(r.content.torrent.PieceCount()))
	}
	if n.pieces.Test(piece) {
		return
	}
	n.pieces.Set(piece)
	if n.counts {
		r.record.copies[piece]++
	}
	if n.class.Have < 1 {
		r.record.owned[piece]++
		r.countFirstCopy()
	}
}

// countFirstCopy records what the seeds have sent when downloaders have all
// pieces for the first time.
func (r *run) countFirstCopy() {
	if r.record.firstCopy > 0 || slices.Contains(r.record.owned, 0) {
		return
	}
	for _, n := range r.nodes {
		if n.class.Have == 1 && n.host != nil {
			r.record.firstCopy += n.host.Payload()
		}
	}
}

// count adds the pieces of a node to the copies that there are, or removes
// them.
func (r *run) count(n *node, there bool) {
	if n.counts == there {
		return
	}
	n.counts = there
	by := 1
	if !there {
		by = -1
	}
	if n.pieces != nil {
		for piece := range n.pieces.EachSet() {
			r.record.copies[piece] += by
		}
	}
}

// look takes a sample if one is due. It is called before each event: nothing
// has changed since the full second.
func (r *run) look() {
	for due := time.Duration(len(r.record.samples)) * every; due <= r.sim.Elapsed(); due += every {
		r.record.samples = append(r.record.samples, r.sample(due))
	}
}

func (r *run) sample(at time.Duration) Sample {
	var some []*bitset.BitSet
	for _, n := range r.nodes {
		// A downloader that has nothing yet cannot interest others, so it is not
		// counted.
		if n.counts && n.complete < 0 && n.pieces != nil && n.pieces.Any() {
			some = append(some, n.pieces)
		}
	}
	s := NewSample(at, r.record.copies, r.record.owned, some)
	for _, n := range r.nodes {
		if n.client == nil {
			continue
		}
		t := n.total()
		s.Downloaded += t.Downloaded
		s.Uploaded += t.Uploaded
		if n.counts {
			s.Nodes++
			if n.complete >= 0 {
				s.Complete++
			}
		}
	}
	return s
}

// NewSample counts, for each piece, its copies and those that downloaders own,
// and compares what unfinished downloaders have. The sums are left to the
// caller.
func NewSample(at time.Duration, copies, owned []int, unfinished []*bitset.BitSet) Sample {
	s := Sample{At: at, Least: math.MaxInt, Entropy: entropy(unfinished)}
	sum := 0
	for i, copies := range copies {
		s.Least, s.Most = min(s.Least, copies), max(s.Most, copies)
		sum += copies
		if copies <= 1 {
			s.Rare++
		}
		if owned[i] > 0 {
			s.Out++
		}
	}
	s.Mean = float64(sum) / float64(len(copies))
	return s
}

// entropyOf is of how many downloaders all pairs are looked at, at most.
const entropyOf = 48

// entropy is that of downloaders, of which each has something.
func entropy(some []*bitset.BitSet) float64 {
	if len(some) < 2 {
		return math.NaN()
	}
	step := max(1, len(some)/entropyOf)
	pairs, interested := 0, 0
	for i := 0; i < len(some); i += step {
		for k := 0; k < len(some); k += step {
			if i == k {
				continue
			}
			pairs++
			if some[k].DifferenceCardinality(some[i]) > 0 {
				interested++
			}
		}
	}
	return float64(interested) / float64(pairs)
}

// witness is a sink that remembers the failures in a node and what was done
// about them.
type witness struct{ node *node }

// Record implements event.Sink.
func (w witness) Record(e *event.Event) {
	n := w.node
	what := ""
	switch {
	case e.Kind == event.Restarted:
		what = "restart"
	case e.Kind == event.Fault:
		what = "fault"
	case e.Kind == event.Escalated:
		what = "escalation"
	case e.Kind == event.Directive && e.Action == event.ActionStop && e.Reason == supervise.ReasonBudget:
		what = "given up"
	default:
		return
	}
	at := n.run.sim.Elapsed()
	n.run.record.mark(Mark{at, at, what, n.name, e.Actor + ": " + e.Reason})
}
