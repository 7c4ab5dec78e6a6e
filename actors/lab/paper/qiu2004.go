package paper

import (
	"math"
	"slices"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/lab/stat"
)

// qiuTick is the step of the integration.
const qiuTick = 100 * time.Millisecond

// qiu2004 is the fluid model of downloaders and seeds.
var qiu2004 = &Paper{
	Name:     "qiu2004",
	Short:    "a fluid model of downloaders and seeds",
	Citation: "Qiu and Srikant, Modeling and Performance Analysis of BitTorrent-Like Peer-to-Peer Networks (Sigcomm 2004)",
	Seeds:    5,
	Variants: []Variant{
		{"as written", nil},
		{"four times the content", lab.Settings{"content": "64 MiB", "until": "3200s", "class.peer.count": int64(60), "class.peer.within": "3200s", "class.peer.linger": "240s"}},
	},
	Claims: []Claim{
		{
			Text: "downloaders that are there when the swarm is steady, against the equation's", Unit: "of what it says", Least: 0.85, Most: 1.15,
			Of: func(r Runs, seed int) float64 { return fluid(r[0][seed], 1).downloaders },
		},
		{
			Text: "seeds that are there, against the equation's", Unit: "of what it says", Least: 0.85, Most: 1.15,
			Of: func(r Runs, seed int) float64 { return fluid(r[0][seed], 1).seeds },
		},
		{
			Text: "time that a download takes, by Little's law from the equation's downloaders", Unit: "of what it says", Least: 0.85, Most: 1.15,
			Of: func(r Runs, seed int) float64 { return fluid(r[0][seed], 1).takes },
		},
		{
			Text: "uplinks are effective (η): of what all of them could carry, what was needed by whom it went to", Unit: "of it", Least: 0.9, Most: 1,
			Of: func(r Runs, seed int) float64 { return effective(r[0][seed]) },
		},
		{
			Text: "the same downloaders, against the equation with that η", Unit: "of what it says", Least: 0.85, Most: 1.15,
			Of: func(r Runs, seed int) float64 { return fluid(r[0][seed], effective(r[0][seed])).downloaders },
		},
		{
			Text: "the same time, against the equation with that η", Unit: "of what it says", Least: 0.85, Most: 1.15,
			Of: func(r Runs, seed int) float64 { return fluid(r[0][seed], effective(r[0][seed])).takes },
		},
		{
			Text: "η is greater with four times the content", Unit: "of what all uplinks could carry", Least: 0.9, Most: 1,
			Of: func(r Runs, seed int) float64 { return effective(r[1][seed]) },
		},
		{
			Text: "so that the time is nearer to the equation's with η = 1", Unit: "of what it says", Least: 0.85, Most: 1.15,
			Of: func(r Runs, seed int) float64 { return fluid(r[1][seed], 1).takes },
		},
	},
	Limits: "Seeds stay for a fixed time and not for one drawn from an exponential distribution; the model's downloaders have something for each other at any time (η = 1), are served at once, and get nothing twice. The equation has the arrivals of the run, which chance makes more or fewer.",
}

// steadyFrom is from when on the swarm of a run is taken to be steady.
func steadyFrom(r *lab.Result) time.Duration { return time.Duration(r.Played.Until) * 5 / 16 }

// compared are counts of a run as parts of what the fluid model says.
type compared struct{ downloaders, seeds, takes float64 }

// fluid integrates the model over the run, with the arrivals that there were
// and with uplinks of which such a part is effective, and compares.
func fluid(r *lab.Result, effective float64) compared {
	stays, comes := &r.Played.Class[0], &r.Played.Class[1]
	second, content := qiuTick.Seconds(), float64(r.Played.Content)
	upload := float64(comes.Up) * payload * effective / content // μ: copies a second of an uplink
	always := float64(stays.Up) * payload * effective / content // of the seed that stays
	leave := 1 / time.Duration(comes.Linger).Seconds()          // γ: part of the seeds that leave in a second
	var arrivals []time.Duration
	for _, n := range r.OfClass("peer") {
		arrivals = append(arrivals, n.Arrived)
	}
	slices.Sort(arrivals)
	from, to := steadyFrom(r), r.Samples[len(r.Samples)-1].At
	var x, y, came float64 // downloaders, seeds but the one that stays, arrivals while the swarm is steady
	var xs, ys, nodes, complete []float64
	at := time.Duration(0)
	for _, s := range r.Samples {
		for ; at < s.At; at += qiuTick {
			for len(arrivals) > 0 && arrivals[0] <= at {
				if x++; at >= from {
					came++
				}
				arrivals = arrivals[1:]
			}
			finish := math.Min(upload*(x+y)+always, x/second)
			x, y = x-finish*second, y+(finish-leave*y)*second
		}
		if s.At >= from {
			xs, ys = append(xs, x), append(ys, y)
			complete, nodes = append(complete, float64(s.Complete-1)), append(nodes, float64(s.Nodes-s.Complete))
		}
	}
	var takes []float64
	for _, n := range r.OfClass("peer") {
		if n.Took >= 0 && n.Arrived >= from {
			takes = append(takes, n.Took.Seconds())
		}
	}
	rate := came / (to - from).Seconds() // λ
	return compared{
		stat.Mean(nodes) / stat.Mean(xs), stat.Mean(complete) / stat.Mean(ys), stat.Mean(takes) / (stat.Mean(xs) / rate),
	}
}

// effective is the part of the payload that all uplinks could have carried,
// once the swarm is steady, that came to somebody who needed it.
func effective(r *lab.Result) float64 {
	var before lab.Sample
	could, needed := 0.0, 0.0
	for _, s := range r.Samples {
		if s.At >= steadyFrom(r) && before.At > 0 {
			rate := float64(r.Played.Class[0].Up) + float64(s.Nodes-1)*float64(r.Played.Class[1].Up)
			could += rate * payload * (s.At - before.At).Seconds()
			needed += float64(s.Downloaded - before.Downloaded)
		}
		before = s
	}
	return needed / could
}
