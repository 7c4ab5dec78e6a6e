package paper

import (
	"kouzui/actors/lab"
	"kouzui/actors/lab/stat"
)

// piatek2007 is what a client gains that gives each peer no more than it must.
var piatek2007 = &Paper{
	Name:     "piatek2007",
	Short:    "BitTyrant, a strategic client",
	Citation: "Piatek, Isdal, Anderson, Krishnamurthy and Venkataramani, Do Incentives Build Robustness in BitTorrent? (NSDI 2007)",
	Seeds:    8,
	Variants: []Variant{
		{"all by rate", nil},
		{"three tyrants", lab.Settings{"class.strategic.choker": "tyrant"}},
		{"all tyrants", lab.Settings{"class.choker": "tyrant"}},
	},
	Claims: []Claim{
		{
			Text: "a tyrant among others is complete sooner than it would be without its strategy", Unit: "times as fast, by medians", Least: 1, Most: none,
			Of: func(r Runs, seed int) float64 { return faster(r[1][seed], r[0][seed], "strategic") },
		},
		{
			Text: "and takes more for what it gives", Unit: "times as much for each byte given", Least: 1, Most: none,
			Of: func(r Runs, seed int) float64 {
				return given(r[0][seed], "strategic") / given(r[1][seed], "strategic")
			},
		},
		{
			Text: "if all are tyrants, downloads take longer on average", Unit: "times as long", Least: 1, Most: none,
			Of: func(r Runs, seed int) float64 { return meanTime(r[2][seed]) / meanTime(r[0][seed]) },
		},
	},
	Limits: "The paper's client also serves each peer at a rate of its own, and has as many connections as it can get; ours chooses whom it serves and no more, and all are connected. So directions are compared, and not by how much.",
}

// meanTime is how long downloads took on average, in seconds.
func meanTime(r *lab.Result) float64 {
	var times []float64
	for _, t := range r.Times() {
		times = append(times, t.Seconds())
	}
	return stat.Mean(times)
}
