package paper

import (
	"kouzui/actors/lab"
)

// legout2007 is what those who give more get for it, with a fast seed and with
// a slow one.
var legout2007 = &Paper{
	Name:     "legout2007",
	Short:    "sharing incentives, with a fast and a slow seed",
	Citation: "Legout, Liogkas, Kohler and Zhang, Clustering and Sharing Incentives in BitTorrent Systems (Sigmetrics 2007)",
	Seeds:    5,
	Variants: []Variant{
		{"fast seed", nil},
		{"slow seed", lab.Settings{"class.seed.up": "40 KiB"}},
	},
	Claims: []Claim{
		{
			Text: "uplinks are highly used until the fast are complete", Unit: "of what the uplinks could send", Least: 0.8, Most: 1,
			Of: func(r Runs, seed int) float64 { return busy(r[0][seed]) },
		},
		{
			Text: "who gives more is complete sooner: the median of the slow class against that of the fast one", Unit: "times as long", Least: 1.2, Most: none,
			Of: func(r Runs, seed int) float64 { return incentive(r[0][seed]) },
		},
		{
			Text: "less so with a slow seed", Unit: "of what is longer with the fast seed", Least: -none, Most: 0.5,
			Of: func(r Runs, seed int) float64 { return (incentive(r[1][seed]) - 1) / (incentive(r[0][seed]) - 1) },
		},
	},
	Limits: "The clustering of peers with like uplinks is not measured.",
}

// incentive is how much longer the slow take than the fast.
func incentive(r *lab.Result) float64 {
	return lab.Quantile(r.OfClass("slow").Times(), 0.5).Seconds() / lab.Quantile(r.OfClass("fast").Times(), 0.5).Seconds()
}
