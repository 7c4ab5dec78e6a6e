package paper

import (
	"math"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/lab/stat"
)

// What the scenario of the fluid model says, in the paper's terms; a seed that
// stays is added to it.
const (
	qiuArrivals = 0.075                  // λ: downloaders a second
	qiuUpload   = 64 * payload / 16384   // μ: copies a second of an uplink
	qiuLeaves   = 1.0 / 60               // γ: part of the seeds that leave in a second
	qiuSeed     = 2 * qiuUpload          // of the seed that stays
	qiuSteady   = 500 * time.Second      // from then on the swarm is steady
	qiuTick     = 100 * time.Millisecond // of the integration
)

// qiu2004 is the fluid model of downloaders and seeds.
var qiu2004 = &Paper{
	Name:     "qiu2004",
	Short:    "a fluid model of downloaders and seeds",
	Citation: "Qiu and Srikant, Modeling and Performance Analysis of BitTorrent-Like Peer-to-Peer Networks (Sigcomm 2004)",
	Seeds:    5,
	Variants: []Variant{{"as written", nil}},
	Claims: []Claim{
		{
			Text: "downloaders that are there when the swarm is steady, against the equation's", Unit: "of what it says", Least: 0.85, Most: 1.15,
			Of: func(r Runs, seed int) float64 { return fluid(r[0][seed]).downloaders },
		},
		{
			Text: "seeds that are there, against the equation's", Unit: "of what it says", Least: 0.85, Most: 1.15,
			Of: func(r Runs, seed int) float64 { return fluid(r[0][seed]).seeds },
		},
		{
			Text: "time that a download takes, by Little's law from the equation's downloaders", Unit: "of what it says", Least: 0.85, Most: 1.15,
			Of: func(r Runs, seed int) float64 { return fluid(r[0][seed]).takes },
		},
	},
	Limits: "Seeds stay for a fixed time and not for one drawn from an exponential distribution; the model's downloaders have something for each other at any time (η = 1), are served at once, and get nothing twice. " +
		"The content is large here, so that this is nearly so: with 4 MiB at 16 KiB/s a third of the payload came twice, and 2.6 times as many downloaders were there as the model says.",
}

// compared are counts of a run as parts of what the fluid model says.
type compared struct{ downloaders, seeds, takes float64 }

// fluid integrates the model over the run and compares.
func fluid(r *lab.Result) compared {
	var x, y float64 // downloaders and seeds, but the one that stays
	var xs, ys, nodes, complete []float64
	at := time.Duration(0)
	for _, s := range r.Samples {
		for ; at < s.At; at += qiuTick {
			finish := math.Min(qiuUpload*(x+y)+qiuSeed, x/qiuTick.Seconds())
			x, y = x+(qiuArrivals-finish)*qiuTick.Seconds(), y+(finish-qiuLeaves*y)*qiuTick.Seconds()
		}
		if s.At >= qiuSteady {
			xs, ys = append(xs, x), append(ys, y)
			complete, nodes = append(complete, float64(s.Complete-1)), append(nodes, float64(s.Nodes-s.Complete))
		}
	}
	var takes []float64
	for _, n := range r.OfClass("peer") {
		if n.Took >= 0 && n.Arrived >= qiuSteady {
			takes = append(takes, n.Took.Seconds())
		}
	}
	return compared{
		stat.Mean(nodes) / stat.Mean(xs), stat.Mean(complete) / stat.Mean(ys), stat.Mean(takes) / (stat.Mean(xs) / qiuArrivals),
	}
}
