package labview

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/world/sim"
)

// Schema is the version of the lines. Keys are added without a new one.
const Schema = "kouzui-lab-1"

// line is what all lines have in common; testdata/lab/README.md describes them.
type line struct {
	Schema     string `json:"schema"`
	Type       string `json:"type"`             // "node", "class", "sample" or "swarm"
	Played     string `json:"played,omitempty"` // "processes", or missing
	Name       string `json:"name"`
	Downloaded int64  `json:"downloaded_bytes"`
	Uploaded   int64  `json:"uploaded_bytes"`
	Duplicate  int64  `json:"duplicate_bytes"`
	Lost       int64  `json:"lost_bytes"`
	Wasted     int64  `json:"wasted_bytes"`
	Restarts   int    `json:"restarts"`
	Crashes    int    `json:"crashes"`
	Repairs    int    `json:"repairs"`
	// The times of repairs are null if there were none.
	RepairMean    *float64 `json:"repair_mean_seconds"`
	RepairLongest *float64 `json:"repair_longest_seconds"`

	Messages uint64 `json:"messages"`
	Peak     *int64 `json:"memory_peak_bytes"` // null: nobody has counted
}

type nodeLine struct {
	line
	Class    string   `json:"class"`
	Seed     bool     `json:"was_seed"`
	Arrived  float64  `json:"arrived_seconds"`
	Complete *float64 `json:"complete_after_seconds"` // null: never
	// Sent is the row of the node in the matrix of who gave how much to whom.
	Sent       map[string]int64 `json:"sent_to_bytes"`        // null: nobody has counted
	SentOthers int64            `json:"sent_to_others_bytes"` // to those left out of Sent
}

type groupLine struct {
	line
	Nodes       int      `json:"nodes"`
	Downloaders int      `json:"downloaders"`
	Complete    int      `json:"downloaders_complete"`
	Median      *float64 `json:"complete_after_median_seconds"`
	Most        *float64 `json:"complete_after_p95_seconds"`
	Last        *float64 `json:"complete_after_last_seconds"`
	Fairness    float64  `json:"fairness_jain"`
	Utilisation *float64 `json:"utilisation"`
}

// sampleLine is the swarm at one time, as the page draws it.
type sampleLine struct {
	Schema     string   `json:"schema"`
	Played     string   `json:"played,omitempty"`
	Type       string   `json:"type"`
	At         float64  `json:"at_seconds"`
	Nodes      int      `json:"nodes"`
	Complete   int      `json:"nodes_complete"`
	Downloaded int64    `json:"downloaded_bytes"`
	Uploaded   int64    `json:"uploaded_bytes"`
	Least      int      `json:"copies_least"`
	Mean       float64  `json:"copies_mean"`
	Most       int      `json:"copies_most"`
	Rare       int      `json:"pieces_rare"`
	Out        int      `json:"pieces_out"`
	Entropy    *float64 `json:"entropy"`
}

type swarmLine struct {
	groupLine
	Seed    uint64   `json:"seed"`
	Hash    *string  `json:"hash"` // null: nothing was simulated
	End     *float64 `json:"all_complete_at_seconds"`
	Bound   *float64 `json:"lower_bound_seconds"`
	Seeds   *float64 `json:"bound_seeds_seconds"`
	Slowest *float64 `json:"bound_slowest_seconds"`
	All     *float64 `json:"bound_capacity_seconds"`
	Copies  *float64 `json:"seed_copies"`
	// Path is how long the critical path of the last completion waited for what.
	Path map[sim.Sort]float64 `json:"critical_path_seconds"` // null: it was not followed, or nobody completed
	// Of lookups in the DHT; null if nobody has looked for anything there.
	Lookups *int     `json:"lookups"`
	Found   *int     `json:"lookups_found"`
	Soon    *float64 `json:"lookup_median_seconds"`
	Late    *float64 `json:"lookup_p95_seconds"`
	Queries *float64 `json:"lookup_queries"`
	False   *int     `json:"lookup_false_peers"`

	Virtual float64  `json:"virtual_seconds"`
	Real    float64  `json:"real_seconds"`
	Wrong   []string `json:"wrong"`
}

// mostReceivers is how many receivers the line of a node names at most: those
// that were sent the most.
const mostReceivers = 200

// WriteLines writes a JSON object on a line for each node, each class, each of
// at most mostPoints times, and the swarm.
func WriteLines(w io.Writer, r *lab.Result) error {
	out := json.NewEncoder(w)
	for _, n := range r.Nodes {
		one := nodeLine{line: lineOf("node", n.Name, r, n), Class: n.Class, Seed: n.Seed, Arrived: round(n.Arrived)}
		if n.Took >= 0 {
			one.Complete = span(n.Took)
		}
		if r.Processes == nil {
			one.Sent, one.SentOthers = receivers(n.Given)
		}
		if err := out.Encode(one); err != nil {
			return err
		}
	}
	for _, nodes := range r.Classes() {
		if err := out.Encode(groupOf("class", nodes[0].Class, r, nodes)); err != nil {
			return err
		}
	}
	for _, s := range newView(r).samples {
		one := sampleOf(s)
		if r.Processes != nil {
			one.Played = byProcesses
		}
		if err := out.Encode(one); err != nil {
			return err
		}
	}
	all := swarmLine{
		groupLine: groupOf("swarm", r.Scenario, r, r.Nodes), Seed: r.Seed, Virtual: round(r.Virtual), Real: round(r.Real), Wrong: []string{},
		End: bounded(r.End), Bound: bounded(r.Bound()), Seeds: bounded(r.Seeds), Slowest: bounded(r.Slowest), All: bounded(r.All),
	}
	if r.Processes == nil {
		hash := fmt.Sprintf("%016x", r.Sum)
		all.Hash = &hash
	}
	if r.Copies > 0 {
		all.Copies = known(r.Copies)
	}
	if r.Path != nil {
		all.Path = map[sim.Sort]float64{}
		for _, s := range shares(r.Path) {
			all.Path[s.what] = round(s.took)
		}
	}
	if sum := r.LookupsFrom(0); sum.Lookups > 0 {
		all.Lookups, all.Found, all.False, all.Queries = &sum.Lookups, &sum.Found, &sum.False, known(sum.Queries)
		if sum.Found > 0 {
			all.Soon, all.Late = span(sum.Median), span(sum.P95)
		}
	}
	for _, err := range r.Wrong {
		all.Wrong = append(all.Wrong, err.Error())
	}
	return out.Encode(all)
}

func lineOf(kind, name string, r *lab.Result, n lab.Node) line {
	mean, longest := n.Repair()
	one := line{
		Crashes: n.Crashes, Repairs: len(n.Repairs), RepairMean: bounded(mean), RepairLongest: bounded(longest),
		Schema: Schema, Type: kind, Name: name, Downloaded: n.Downloaded, Uploaded: n.Uploaded, Duplicate: n.Duplicate,
		Lost: n.Lost, Wasted: n.Wasted(), Restarts: n.Restarts, Messages: n.Messages, Peak: &n.Peak,
	}
	if r.Processes != nil {
		one.Played, one.Peak = byProcesses, nil
	}
	return one
}

// byProcesses is who has played what was not simulated.
const byProcesses = "processes"

// receivers are those to whom a node sent the most, and what it sent to all
// others.
func receivers(given map[string]int64) (most map[string]int64, others int64) {
	names := slices.SortedFunc(maps.Keys(given), func(a, b string) int {
		return cmp.Or(cmp.Compare(given[b], given[a]), cmp.Compare(a, b))
	})
	most = map[string]int64{}
	for i, name := range names {
		if i < mostReceivers {
			most[name] = given[name]
		} else {
			others += given[name]
		}
	}
	return most, others
}

func sampleOf(s lab.Sample) sampleLine {
	return sampleLine{
		Schema: Schema, Type: "sample", At: round(s.At), Nodes: s.Nodes, Complete: s.Complete, Downloaded: s.Downloaded, Uploaded: s.Uploaded,
		Least: s.Least, Mean: *known(s.Mean), Most: s.Most, Rare: s.Rare, Out: s.Out, Entropy: known(s.Entropy),
	}
}

func groupOf(kind, name string, r *lab.Result, nodes lab.Nodes) groupLine {
	times := nodes.Times()
	g := groupLine{
		line: lineOf(kind, name, r, nodes.Total()), Nodes: len(nodes), Downloaders: nodes.Downloaders(), Complete: len(times),
		Fairness: *known(nodes.Fairness()), Utilisation: known(r.Utilisation(nodes)),
	}
	if len(times) > 0 {
		g.Median, g.Most, g.Last = span(lab.Quantile(times, 0.5)), span(lab.Quantile(times, 0.95)), span(lab.Quantile(times, 1))
	}
	return g
}

// round is d in seconds, to the millisecond.
func round(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }

func span(d time.Duration) *float64 {
	s := round(d)
	return &s
}

// known is x to four digits after the point; null if x is not a number.
func known(x float64) *float64 { return Number(math.Round(x*1e4) / 1e4) }

// bounded is null for a bound that does not exist.
func bounded(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	return span(d)
}
