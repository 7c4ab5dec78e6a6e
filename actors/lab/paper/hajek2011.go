package paper

import (
	"time"

	"kouzui/actors/lab"
)

// hajekFrom is from when on growth is looked at: the swarm has begun.
const hajekFrom = 100 * time.Second

// hajek2011 is the missing piece syndrome: a seed that sends fewer pieces a
// second than downloaders come cannot keep a swarm alive in which those who are
// complete leave.
var hajek2011 = &Paper{
	Name:     "hajek2011",
	Short:    "the missing piece syndrome",
	Citation: "Hajek and Zhu, The Missing Piece Syndrome in Peer-to-Peer Communication (2011)",
	Seeds:    6,
	Variants: []Variant{
		{"slow seed, rarest", nil},
		{"slow seed, random", lab.Settings{"patterns.picker": "random"}},
		{"fast seed, rarest", lab.Settings{"class.seed.up": "128 KiB"}},
		{"fast seed, random", lab.Settings{"class.seed.up": "128 KiB", "patterns.picker": "random"}},
	},
	Claims: []Claim{
		growth("the one club grows by arrivals less the pieces that the seed sends", 0),
		growth("the same with random pieces: the picker does not matter", 1),
		club("all but a few lack the same piece: nodes with the rarest piece, when the run ends", 0),
		steady("a seed that sends more pieces than downloaders come keeps it from growing", 2),
		steady("the same with random pieces", 3),
	},
	Limits: "The peers of the paper's model meet at random and exchange one piece at a time; ours are all connected, and choose whom they serve. Growth is held against the arrivals of the same run, which chance makes more or fewer.",
}

// growth is the claim that the swarm of a variant grows as the model says.
func growth(text string, variant int) Claim {
	return Claim{
		Text: text, Unit: "of what the model says", Least: 0.85, Most: 1.15,
		Of: func(r Runs, seed int) float64 {
			played := r[variant][seed].Played
			sends := float64(played.Class[0].Up) * payload / float64(played.Piece) // pieces a second, of the seed
			present, arrivals := growths(r[variant][seed])
			return present / (arrivals - sends)
		},
	}
}

// steady is the claim that the swarm of a variant does not grow.
func steady(text string, variant int) Claim {
	return Claim{
		Text: text, Unit: "downloaders more for each that comes", Least: -none, Most: 0.05,
		Of: func(r Runs, seed int) float64 {
			present, arrivals := growths(r[variant][seed])
			return present / arrivals
		},
	}
}

// club is the claim that nearly all of those who are there lack one piece.
func club(text string, variant int) Claim {
	return Claim{
		Text: text, Unit: "of all nodes", Least: 0, Most: 0.1,
		Of: func(r Runs, seed int) float64 {
			samples := r[variant][seed].Samples
			last := samples[len(samples)-1]
			return float64(last.Least) / float64(last.Nodes)
		},
	}
}

// growths are by how many downloaders a second a swarm grows, once it has
// begun, and how many come.
func growths(r *lab.Result) (present, arrivals float64) {
	var at, here, came []float64
	for _, s := range r.Samples {
		if s.At < hajekFrom {
			continue
		}
		sum := 0
		for _, n := range r.Nodes {
			if !n.Seed && n.Arrived <= s.At {
				sum++
			}
		}
		at, here, came = append(at, s.At.Seconds()), append(here, float64(s.Nodes-1)), append(came, float64(sum)) // but the seed
	}
	return slope(at, here), slope(at, came)
}
