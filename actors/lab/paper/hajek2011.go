package paper

import (
	"time"

	"kouzui/actors/lab"
)

// What the scenario of the missing piece says, in the paper's terms.
const (
	hajekArrivals = 0.5  // downloaders a second
	hajekSlow     = 0.25 // pieces a second that the slow seed could send without headers
	hajekFrom     = 100 * time.Second
)

// hajek2011 is the missing piece syndrome: a seed that sends fewer pieces a
// second than downloaders come cannot keep a swarm alive in which those who are
// complete leave.
var hajek2011 = &Paper{
	Name:     "hajek2011",
	Short:    "the missing piece syndrome",
	Citation: "Hajek and Zhu, The Missing Piece Syndrome in Peer-to-Peer Communication (2011)",
	Seeds:    4,
	Variants: []Variant{
		{"slow seed, rarest", nil},
		{"slow seed, random", lab.Settings{"patterns.picker": "random"}},
		{"fast seed, rarest", lab.Settings{"class.seed.up": "64 KiB"}},
	},
	Claims: []Claim{
		growth("the one club grows by arrivals less the pieces that the seed sends", 0),
		growth("the same with random pieces: the picker does not matter", 1),
		{
			Text: "a seed that sends more pieces than downloaders come keeps it from growing", Unit: "downloaders more each second, as a part of arrivals",
			Least: -none, Most: 0.05,
			Of: func(r Runs, seed int) float64 { return present(r[2][seed]) / hajekArrivals },
		},
	},
	Limits: "The peers of the paper's model meet at random and exchange one piece at a time; ours are all connected, and choose whom they serve.",
}

// growth is the claim that the swarm of a variant grows as the model says.
func growth(text string, variant int) Claim {
	least, most := within(hajekArrivals-hajekSlow*payload, 0.15)
	return Claim{
		Text: text, Unit: "downloaders more each second", Least: least, Most: most,
		Of: func(r Runs, seed int) float64 { return present(r[variant][seed]) },
	}
}

// present is by how many downloaders a second a swarm grows, once it has begun.
func present(r *lab.Result) float64 {
	var at, here []float64
	for _, s := range r.Samples {
		if s.At >= hajekFrom {
			at, here = append(at, s.At.Seconds()), append(here, float64(s.Nodes-1)) // but the seed
		}
	}
	return slope(at, here)
}
