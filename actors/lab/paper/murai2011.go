package paper

import (
	"time"

	"kouzui/actors/lab"
)

// muraiSteady is from when on downloaders of a large swarm do not wait for
// pieces that the seed has yet to send for the first time.
const muraiSteady = 200 * time.Second

// murai2011 is that equal downloaders take unequal times in small swarms.
var murai2011 = &Paper{
	Name:     "murai2011",
	Short:    "unequal times of equal downloaders",
	Citation: "Murai, Rocha, Figueiredo and de Souza e Silva, Heterogeneous Download Times in a Homogeneous BitTorrent Swarm (2011)",
	Seeds:    12,
	Variants: []Variant{
		{"few", nil},
		// In the time that a download takes some twenty come.
		{"many", lab.Settings{"class.peer.count": int64(72), "class.peer.within": "600s"}},
	},
	Claims: []Claim{
		{
			Text: "equal downloaders take unequal times in a small swarm", Unit: "standard deviation, of the mean", Least: 0.1, Most: none,
			Of: func(r Runs, seed int) float64 { return unequal(r[0][seed], 0) },
		},
		{
			Text: "more so than in a large one", Unit: "times as unequal", Least: 1, Most: none,
			Of: func(r Runs, seed int) float64 { return unequal(r[0][seed], 0) / unequal(r[1][seed], muraiSteady) },
		},
		{
			Text: "who comes later takes less time", Unit: "s less for each s later", Least: 0.1, Most: none,
			Of: func(r Runs, seed int) float64 { return -later(r[0][seed]) },
		},
		{
			Text: "and they leave in bursts: of the time from the first to the last arrival, that from the first to the last departure", Unit: "of it", Least: 0, Most: 0.75,
			Of: func(r Runs, seed int) float64 { return burst(r[0][seed]) },
		},
	},
}

// unequal is how much the times of those differ that came from then on.
func unequal(r *lab.Result, from time.Duration) float64 {
	var times []float64
	for _, n := range r.OfClass("peer") {
		if n.Took >= 0 && n.Arrived >= from {
			times = append(times, n.Took.Seconds())
		}
	}
	return deviation(times)
}

// later is how many seconds more the download of a node takes for each second
// that it comes later.
func later(r *lab.Result) float64 {
	var arrived, took []float64
	for _, n := range r.OfClass("peer") {
		if n.Took >= 0 {
			arrived, took = append(arrived, n.Arrived.Seconds()), append(took, n.Took.Seconds())
		}
	}
	return slope(arrived, took)
}

func burst(r *lab.Result) float64 {
	nodes := r.OfClass("peer")
	first, last := nodes[0], nodes[0]
	begin, end := nodes[0].Arrived+nodes[0].Took, nodes[0].Arrived+nodes[0].Took
	for _, n := range nodes {
		if n.Arrived < first.Arrived {
			first = n
		}
		if n.Arrived > last.Arrived {
			last = n
		}
		begin, end = min(begin, n.Arrived+n.Took), max(end, n.Arrived+n.Took)
	}
	return (end - begin).Seconds() / (last.Arrived - first.Arrived).Seconds()
}
