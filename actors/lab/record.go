package lab

import (
	"math"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
)

// every is how often the swarm is looked at.
const every = time.Second

// Sample is the swarm at a time. What is said of copies and interest counts the
// nodes whose process runs.
type Sample struct {
	At         time.Duration
	Nodes      int
	Complete   int     // of them
	Downloaded int64   // bytes so far, by all
	Uploaded   int64   // likewise
	Least      int     // copies of the piece of which there are the fewest
	Mean       float64 // over all pieces
	Most       int
	Rare       int // pieces of which there is one copy or none
	Out        int // pieces of which those who came to download have a copy
	// Entropy is the part of the ordered pairs of downloaders in which the one has
	// something that the other wants: 1 is the ideal of Legout et al. (IMC 2006),
	// NaN if there are no two of them.
	Entropy float64
}

// Mark is something that happened, to the world or to one node.
type Mark struct {
	At, Until time.Duration
	What      string // Event.Do, "restart", "fault", "escalation", "given up"; of nodes: "arrive", "complete", "leave"
	Node      string // empty: the world
	About     string // path of the actor, and why
}

// maxMarks bounds what a run remembers of restarts and faults.
const maxMarks = 10_000

// record is what a run remembers for its result.
type record struct {
	samples []Sample
	marks   []Mark
	missed  int   // marks that were too many
	copies  []int // of each piece, among the nodes that run
	owned   []int // of each piece, by those who came to download
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

// share is what a node has when it arrives.
func (r *run) share(n *node) *bitset.BitSet {
	pieces := uint(r.content.torrent.PieceCount())
	have := bitset.New(pieces)
	c := n.class
	switch {
	case c.Have == 1:
		have.SetAll()
	case c.Have > 0:
		for i := range pieces {
			have.SetTo(i, r.rnd.Float64() < c.Have)
		}
	case c.Copies > 0:
		for i := range pieces {
			// Each copy is dealt out in turn, beginning with another node.
			for k := range c.Copies {
				if int(i+uint(k))%c.Count == n.index {
					have.Set(i)
				}
			}
		}
	}
	return have
}

// forget removes what a power cut has taken from a node's disk.
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

// gain enters that a node has a piece.
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
	}
}

// count enters or removes what a node has among what is there.
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

// look takes a sample if one is due. It is called before each event, so nothing
// has changed since the second was full.
func (r *run) look() {
	for due := time.Duration(len(r.record.samples)) * every; due <= r.sim.Elapsed(); due += every {
		r.record.samples = append(r.record.samples, r.sample(due))
	}
}

func (r *run) sample(at time.Duration) Sample {
	s := Sample{At: at, Least: math.MaxInt}
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
	sum := 0
	for i, copies := range r.record.copies {
		s.Least, s.Most = min(s.Least, copies), max(s.Most, copies)
		sum += copies
		if copies <= 1 {
			s.Rare++
		}
		if r.record.owned[i] > 0 {
			s.Out++
		}
	}
	s.Mean = float64(sum) / float64(len(r.record.copies))
	s.Entropy = r.entropy()
	return s
}

// entropyOf is of how many downloaders all pairs are looked at.
const entropyOf = 48

func (r *run) entropy() float64 {
	var some []*bitset.BitSet
	for _, n := range r.nodes {
		// Who has nothing yet cannot interest anybody, and is not to blame.
		if n.counts && n.complete < 0 && n.pieces != nil && n.pieces.Any() {
			some = append(some, n.pieces)
		}
	}
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

// witness is a sink that remembers what failed in a node, and what was done.
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

// tally counts what mailboxes that are not the simulator's hand to actors.
type tally struct{ n *uint64 }

func (tally) MailboxStarted()       {}
func (tally) MessagePosted(any)     {}
func (tally) MailboxEmpty()         {}
func (t tally) MessageReceived(any) { *t.n++ }

// mailboxes are those that a class can choose instead of the simulator's, which
// hands one message to its actor and then waits for its turn. These are the
// library's: they empty themselves at each turn, as in the real world.
var mailboxes = map[string]func(actor.MailboxMiddleware) actor.MailboxProducer{
	"unbounded": func(t actor.MailboxMiddleware) actor.MailboxProducer { return actor.Unbounded(t) },
	"lockfree":  func(t actor.MailboxMiddleware) actor.MailboxProducer { return actor.UnboundedLockfree(t) },
	"priority":  func(t actor.MailboxMiddleware) actor.MailboxProducer { return actor.UnboundedPriority(t) },
}
