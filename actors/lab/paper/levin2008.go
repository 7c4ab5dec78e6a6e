package paper

import (
	"kouzui/actors/lab"
)

// levin2008 is what a client gains that serves its peers in proportion to what
// they give.
var levin2008 = &Paper{
	Name:     "levin2008",
	Scenario: piatek2007.Name,
	Short:    "PropShare, a share in proportion",
	Citation: "Levin, LaCurts, Spring and Bhattacharjee, BitTorrent is an Auction (Sigcomm 2008)",
	Seeds:    8,
	Variants: []Variant{
		// The three are complete by then; the slow are not.
		{"all by rate", lab.Settings{"until": "400s"}},
		{"three in proportion", lab.Settings{"until": "400s", "class.strategic.choker": "proportional"}},
		{"three tyrants", lab.Settings{"until": "400s", "class.strategic.choker": "tyrant"}},
	},
	Claims: []Claim{
		{
			Text: "who gives in proportion is complete sooner than by rate, among others by rate", Unit: "times as fast, by medians", Least: 1, Most: none,
			Of: func(r Runs, seed int) float64 { return faster(r[1][seed], r[0][seed], "strategic") },
		},
		{
			Text: "and sooner than a tyrant would be there", Unit: "times as fast, by medians", Least: 1, Most: none,
			Of: func(r Runs, seed int) float64 { return faster(r[1][seed], r[2][seed], "strategic") },
		},
	},
	Limits: "The paper divides the rate of the uplink within each round; ours draws its slots by lot, with chances in proportion, and so divides time.",
}
