package paper

import (
	"kouzui/actors/lab"
)

// sirivianos2007 is what free riders gain that connect to everybody.
var sirivianos2007 = &Paper{
	Name:     "sirivianos2007",
	Short:    "free riders with a large view",
	Citation: "Sirivianos, Park, Chen and Yang, Free-riding in BitTorrent Networks with the Large View Exploit (IPTPS 2007)",
	Seeds:    8,
	Variants: []Variant{
		{"a tenth, large view", nil},
		{"a tenth, usual view", lab.Settings{"class.rider.peers": int64(12)}},
		{"half, large view", lab.Settings{"class.giver.count": int64(20), "class.rider.count": int64(20)}},
	},
	Claims: []Claim{
		{
			Text: "a free rider that connects to everybody is complete sooner than one with as many connections as others", Unit: "times as fast, by medians", Least: 1, Most: none,
			Of: func(r Runs, seed int) float64 { return faster(r[0][seed], r[1][seed], "rider") },
		},
		{
			Text: "and, while few do so, sooner than those who give", Unit: "times as fast, by medians", Least: 1, Most: none,
			Of: func(r Runs, seed int) float64 { return ahead(r[0][seed]) },
		},
		{
			Text: "but not where half of all do so", Unit: "times as fast, by medians", Least: 0, Most: 1,
			Of: func(r Runs, seed int) float64 { return ahead(r[2][seed]) },
		},
		{
			Text: "the more there are, the longer those who give take", Unit: "times as long with half as with a tenth", Least: 1.1, Most: none,
			Of: func(r Runs, seed int) float64 { return faster(r[0][seed], r[2][seed], "giver") },
		},
		{
			Text: "and the longer free riders take", Unit: "times as long with half as with a tenth", Least: 1.1, Most: none,
			Of: func(r Runs, seed int) float64 { return faster(r[0][seed], r[2][seed], "rider") },
		},
	},
	Limits: "The paper's torrents have some 300 downloaders, in public ones many seeds, and its free rider asks the tracker again and again for peers; ours learns of all at once.",
}

// ahead is how many times as fast free riders are as those who give.
func ahead(r *lab.Result) float64 { return median(r, "giver") / median(r, "rider") }
