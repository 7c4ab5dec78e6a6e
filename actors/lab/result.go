package lab

import (
	"math"
	"slices"
	"time"
)

// Result is how the run of a scenario has gone.
type Result struct {
	Scenario string
	Played   *Scenario
	Seed     uint64
	Sum      uint64 // of the journal, if one was kept
	Wrong    []error
	Nodes
	Virtual  time.Duration
	Real     time.Duration
	End      time.Duration // when the last downloader was complete; 0: none was
	Messages uint64        // handled
	Bounds
	Pieces int
	// Copies is how many copies of the content the seeds had sent when the
	// downloaders had every piece at least once; 0: they never had, or came with
	// everything.
	Copies  float64
	Samples []Sample // one a second
	Marks   []Mark   // in no particular order
	Missed  int      // marks that were not kept because there were too many
	// Path is the critical path of the last completion, without a gap; nil: it was
	// not followed, or nobody completed.
	Path []Leg
	// Processes is what real processes took of this machine, if they were played
	// and nothing was simulated; else nil. Nobody has counted their messages and
	// their memory.
	Processes *Processes
	Lookups   []Lookup // of bare nodes in the DHT
}

// Processes is what the processes of a swarm took of the machine.
type Processes struct {
	Started int           // all in all, the tracker too
	Busy    time.Duration // of all processors together
	Cores   int           // of the machine
	// Namespaces: each node had a network namespace with a link of its own.
	Namespaces bool
}

// Bounds are times within which no swarm can be complete, even if it wasted
// nothing; 0: there is no such bound.
type Bounds struct {
	Seeds   time.Duration // the seeds have to send one copy: F / u_seed
	Slowest time.Duration // the slowest downloader has to receive all: F / d_min
	All     time.Duration // all nodes together have to send all copies: N F / sum of u
}

// Bound is the greatest of them.
func (b Bounds) Bound() time.Duration { return max(b.Seeds, b.Slowest, b.All) }

// Node is how the run has gone for one node.
type Node struct {
	Name       string
	Class      string
	Arrived    time.Duration
	Took       time.Duration // from its arrival until it was complete; negative: it never was
	Learned    time.Duration // from its arrival until peers had told what a magnet link does not; negative: they never have, or it knew
	Seed       bool          // it was complete from the start
	Downloaded int64
	Uploaded   int64
	Duplicate  int64 // bytes of blocks that it had already, or did not want any more
	Lost       int64 // bytes that came and were lost: corrupt, or by a crash
	Restarts   int
	Crashes    int             // how often its process was killed, or its machine lost power
	Repairs    []time.Duration // from such an end until it served or downloaded again; several ends may have one repair
	Messages   uint64
	Peak       int64 // bytes of payload in memory, as seen once a second
	Have       []Have
	Play       *Play            // nil: it does not play
	Given      map[string]int64 // bytes of blocks that have left it, by the node or foe that was to receive them
}

// Repair is how long repairs took on average and at most; 0: there were none.
func (n Node) Repair() (mean, most time.Duration) {
	for _, took := range n.Repairs {
		mean, most = mean+took/time.Duration(len(n.Repairs)), max(most, took)
	}
	return mean, most
}

// Wasted is how many bytes came for nothing.
func (n Node) Wasted() int64 { return n.Duplicate + n.Lost }

// Have is how many bytes a node had at one time.
type Have struct {
	At    time.Duration
	Bytes int64
}

func (r *run) result(took time.Duration) *Result {
	res := &Result{
		Scenario: r.Name, Seed: r.options.Seed, Wrong: r.wrong, Virtual: r.sim.Elapsed(), Real: took,
		Played: r.Scenario, Bounds: r.Scenario.Bounds(), Pieces: len(r.record.copies),
		Samples: r.record.samples, Marks: r.record.marks, Missed: r.record.missed,
	}
	res.Path, res.Lookups = r.path(), r.lookups
	res.Copies = float64(r.record.firstCopy) / float64(r.Content)
	if j := r.options.Journal; j != nil {
		res.Sum = j.Sum()
	}
	for _, n := range r.nodes {
		t := n.total()
		one := Node{
			Name: n.name, Class: n.class.Name, Arrived: n.arrived, Took: -1, Learned: -1, Seed: n.class.Have == 1,
			Downloaded: t.Downloaded, Uploaded: t.Uploaded, Duplicate: t.Wasted, Restarts: t.Restarts, Crashes: n.crashes, Repairs: n.repairs, Peak: int64(n.peak) << 14, Have: n.graph,
		}
		if n.host != nil {
			one.Given = map[string]int64{}
			for to, bytes := range n.host.Given() {
				one.Given[to.Name] = bytes
			}
			one.Messages = n.host.Steps()
		}
		res.Messages += one.Messages
		one.Lost = max(0, t.Downloaded-max(0, n.have()-n.laid))

		if n.player != nil {
			one.Play = &n.player.Play
		}
		if n.metainfo != nil {
			one.Learned = n.learned - n.arrived
		}
		if n.complete >= 0 {
			one.Took = n.complete - n.arrived
			if !one.Seed {
				res.End = max(res.End, n.complete)
			}
		}
		res.Nodes = append(res.Nodes, one)
	}
	return res
}

// have is how many bytes a node has at the end.
func (n *node) have() (bytes int64) {
	if n.complete >= 0 {
		return n.run.content.torrent.Length
	}
	if n.pieces != nil {
		for piece := range n.pieces.EachSet() {
			bytes += int64(n.run.content.torrent.PieceSize(int(piece)))
		}
	}
	return bytes
}

// Bounds computes lower bounds of the completion time from what is missing at
// the start. The upload of a class that would never give anything is not
// counted; if some downloaders bring data with them, the seeds need not send
// everything.
func (s *Scenario) Bounds() Bounds {
	var seeds, all, wanted, slowest float64
	brought := false
	rate := func(s Rate) float64 {
		if s == 0 {
			return math.Inf(1)
		}
		return float64(s)
	}
	for i := range s.Class {
		c := &s.Class[i]
		if len(c.Hostile) > 0 || c.Bare {
			continue
		}
		count := float64(c.Count)
		up := rate(c.Up) * count
		if c.Choker != "closed" {
			all += up
		}
		if c.Have == 1 {
			seeds += up
			continue
		}
		part := max(c.Have, float64(c.Copies)/count)
		brought = brought || part > 0
		missing := (1 - part) * float64(s.Content)
		wanted += count * missing
		slowest = max(slowest, missing/rate(c.Down))
	}
	span := func(seconds float64) time.Duration {
		if math.IsNaN(seconds) || math.IsInf(seconds, 0) {
			return 0
		}
		return time.Duration(seconds * float64(time.Second))
	}
	b := Bounds{Slowest: span(slowest), All: span(wanted / all)}
	if !brought {
		b.Seeds = span(float64(s.Content) / seeds)
	}
	return b
}

// Capacity is what all nodes together could send, in bytes a second; 0: without
// limit.
func (s *Scenario) Capacity() (sum Rate) {
	for i := range s.Class {
		if len(s.Class[i].Hostile) > 0 || s.Class[i].Bare {
			continue
		}
		if s.Class[i].Up == 0 {
			return 0
		}
		sum += s.Class[i].Up * Rate(s.Class[i].Count)
	}
	return sum
}

// Nodes are several nodes of a swarm.
type Nodes []Node

// OfClass are those of one class.
func (ns Nodes) OfClass(class string) Nodes {
	return slices.DeleteFunc(slices.Clone(ns), func(n Node) bool { return n.Class != class })
}

// Times are the times that downloaders took until they were complete, sorted.
func (ns Nodes) Times() []time.Duration {
	var times []time.Duration
	for _, n := range ns {
		if !n.Seed && n.Took >= 0 {
			times = append(times, n.Took)
		}
	}
	slices.Sort(times)
	return times
}

// Downloaders is how many nodes did not have everything from the start.
func (ns Nodes) Downloaders() (n int) {
	for _, one := range ns {
		if !one.Seed {
			n++
		}
	}
	return n
}

// Complete is how many nodes have everything.
func (ns Nodes) Complete() (n int) {
	for _, one := range ns {
		if one.Took >= 0 {
			n++
		}
	}
	return n
}

// Fairness is Jain's index of the uploads of downloaders: 1 if all uploaded as
// much, 1/n if one of n uploaded everything; 0 if none uploaded.
func (ns Nodes) Fairness() float64 {
	var sum, squares, n float64
	for _, node := range ns {
		if !node.Seed {
			x := float64(node.Uploaded)
			sum, squares, n = sum+x, squares+x*x, n+1
		}
	}
	if squares == 0 {
		return 0
	}
	return sum * sum / (n * squares)
}

// Total is the sum of all nodes; its Peak is the highest of all.
func (ns Nodes) Total() (t Node) {
	for _, n := range ns {
		t.Downloaded += n.Downloaded
		t.Uploaded += n.Uploaded
		t.Duplicate += n.Duplicate
		t.Lost += n.Lost
		t.Restarts += n.Restarts
		t.Crashes += n.Crashes
		t.Repairs = append(t.Repairs, n.Repairs...)
		t.Messages += n.Messages
		t.Peak = max(t.Peak, n.Peak)
	}
	return t
}

// Classes returns the nodes of each class.
func (r *Result) Classes() (classes []Nodes) {
	for i, n := range r.Nodes {
		if i == 0 || n.Class != r.Nodes[i-1].Class {
			classes = append(classes, nil)
		}
		last := len(classes) - 1
		classes[last] = append(classes[last], n)
	}
	return classes
}

// Utilisation is the part of what the uplinks of nodes could have sent, while
// they were there and until the last downloader was complete, that their
// clients sent; NaN if an uplink has no bound, or no downloader was complete.
func (r *Result) Utilisation(ns Nodes) float64 {
	up := map[string]float64{}
	for _, c := range r.Played.Class {
		up[c.Name] = float64(c.Up)
	}
	left := map[string]time.Duration{}
	for _, m := range r.Marks {
		if m.What == "leave" {
			left[m.Node] = m.At
		}
	}
	could := 0.0
	for _, n := range ns {
		if up[n.Class] == 0 {
			return math.NaN()
		}
		until := r.End
		if at, is := left[n.Name]; is {
			until = min(until, at)
		}
		could += up[n.Class] * max(0, until-n.Arrived).Seconds()
	}
	if could == 0 {
		return math.NaN()
	}
	return float64(ns.Total().Uploaded) / could
}

// Quantile is the time within which this part of them was complete; 0 if none
// was.
func Quantile(times []time.Duration, part float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return times[int(math.Ceil(part*float64(len(times))))-1]
}
