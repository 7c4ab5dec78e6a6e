package lab

import (
	"math"
	"slices"
	"time"
)

// Result is what came of a scenario.
type Result struct {
	Scenario string
	Seed     uint64
	Sum      uint64 // of the journal, if one was kept
	Wrong    []error
	Nodes
	Virtual  time.Duration
	Real     time.Duration
	Messages uint64
	Bound    time.Duration // no swarm can be quicker; 0: nothing is bounded
}

// Node is what came of one.
type Node struct {
	Name       string
	Class      string
	Arrived    time.Duration
	Took       time.Duration // from its arrival until everything was there; negative: it never was
	Seed       bool          // from the start
	Downloaded int64
	Uploaded   int64
	Wasted     int64 // bytes that came in vain
	Restarts   int
	Peak       int64 // bytes of payload in memory, as seen once a second
	Have       []Have
}

// Have is how much a node had at a time.
type Have struct {
	At    time.Duration
	Bytes int64
}

func (r *run) result(took time.Duration) *Result {
	res := &Result{
		Scenario: r.Name, Seed: r.options.Seed, Wrong: r.wrong, Virtual: r.sim.Elapsed(), Real: took,
		Messages: r.sim.Steps(), Bound: r.bound(),
	}
	if j := r.options.Journal; j != nil {
		res.Sum = j.Sum()
	}
	for _, n := range r.nodes {
		t := n.total()
		one := Node{
			Name: n.name, Class: n.class.Name, Arrived: n.arrived, Took: -1, Seed: n.class.Have == 1,
			Downloaded: t.Downloaded, Uploaded: t.Uploaded, Wasted: t.Wasted, Restarts: t.Restarts, Peak: int64(n.peak) << 14, Have: n.graph,
		}
		if n.complete >= 0 {
			one.Took = n.complete - n.arrived
		}
		res.Nodes = append(res.Nodes, one)
	}
	return res
}

// bound is how long a swarm takes in which nothing is wasted: a copy has to
// leave the seeds, all of it has to reach the slowest, and all copies have to
// be uploaded by somebody.
func (r *run) bound() time.Duration {
	length := float64(r.Content)
	var seeds, all, slowest, leechers float64
	slowest = math.Inf(1)
	rate := func(s Size) float64 {
		if s == 0 {
			return math.Inf(1)
		}
		return float64(s)
	}
	for i := range r.Class {
		c := &r.Class[i]
		up := rate(c.Up) * float64(c.Count)
		all += up
		if c.Have == 1 {
			seeds += up
			continue
		}
		leechers += float64(c.Count)
		slowest = min(slowest, rate(c.Down))
	}
	seconds := max(length/slowest, leechers*length/all)
	if seeds > 0 {
		seconds = max(seconds, length/seeds)
	}
	return time.Duration(seconds * float64(time.Second))
}

// Nodes are some of a swarm.
type Nodes []Node

// Times are how long those took who came to download and have all, in order.
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

// Complete is how many have everything.
func (ns Nodes) Complete() (n int) {
	for _, one := range ns {
		if one.Took >= 0 {
			n++
		}
	}
	return n
}

// Fairness is Jain's index of what the downloaders gave: 1 if all gave as much,
// 1/n if one of n gave everything; 0 if nobody gave anything.
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

// Total is the sum of all, but of Peak it is the greatest.
func (ns Nodes) Total() (t Node) {
	for _, n := range ns {
		t.Downloaded += n.Downloaded
		t.Uploaded += n.Uploaded
		t.Wasted += n.Wasted
		t.Restarts += n.Restarts
		t.Peak = max(t.Peak, n.Peak)
	}
	return t
}

// Classes are the nodes of each class.
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

// Quantile is the time within which a part of them was complete; 0 if none was.
func Quantile(times []time.Duration, part float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return times[int(math.Ceil(part*float64(len(times))))-1]
}
