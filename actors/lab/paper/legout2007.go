package paper

import (
	"kouzui/actors/lab"
)

// legout2007 is what those who give more get for it, with a fast seed and with
// a slow one, and to whom they give.
var legout2007 = &Paper{
	Name:     "legout2007",
	Short:    "clusters and sharing incentives, with a fast and a slow seed",
	Citation: "Legout, Liogkas, Kohler and Zhang, Clustering and Sharing Incentives in BitTorrent Systems (Sigmetrics 2007)",
	Seeds:    10,
	Variants: []Variant{
		{"fast seed", nil},
		{"slow seed", lab.Settings{"class.seed.up": "40 KiB"}},
		// The matrix of who gave to whom is that of a whole run: these end while all
		// download.
		{"fast seed, its first part", lab.Settings{"until": "120s"}},
		{"slow seed, its first part", lab.Settings{"until": "300s", "class.seed.up": "40 KiB"}},
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
		clusters("fast"),
		clusters("middle"),
		clusters("slow"),
		{
			Text: "with a slow seed the fast do not cluster", Unit: "times the part that chance would give to their own class", Least: 0.8, Most: 1.2,
			Of: func(r Runs, seed int) float64 { return clustering(r[3][seed], "fast") },
		},
	},
}

// clusters is the claim that a class of uplinks gives more to its own.
func clusters(class string) Claim {
	return Claim{
		Text: "the " + class + " cluster, while all download", Unit: "times the part that chance would give to their own class", Least: 1.2, Most: none,
		Of: func(r Runs, seed int) float64 { return clustering(r[2][seed], class) },
	}
}

// incentive is how much longer the slow take than the fast.
func incentive(r *lab.Result) float64 { return median(r, "slow") / median(r, "fast") }

// clustering is the part of what the nodes of a class gave to downloaders that
// went to their own class, as a multiple of that class's part of all other
// downloaders: 1 if they gave to all alike.
func clustering(r *lab.Result, class string) float64 {
	members := r.OfClass(class)
	own, all := 0.0, 0.0
	for _, from := range members {
		for _, to := range r.Nodes {
			given := float64(from.Given[to.Name])
			all += given
			if to.Class == class {
				own += given
			}
		}
	}
	chance := float64(len(members)-1) / float64(r.Downloaders()-1)
	return own / all / chance
}
