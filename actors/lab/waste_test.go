package lab

import (
	"os"
	"slices"
	"testing"
)

// Swarms fetch little twice, no node by far more than others, and their last
// node is not far from the bound: medians of some seeds.
func TestSwarmsWasteLittle(t *testing.T) {
	for _, one := range []struct {
		scenario          string
		waste, worst, end float64 // parts of the content; end: of the bound
	}{
		{"crowd", 0.015, 0.10, 1.35},
		{"staggered", 0.005, 0.10, 2},
		{"hetero", 0.03, 0.10, 1.35},
	} {
		t.Run(one.scenario, func(t *testing.T) {
			text, err := os.ReadFile("../../testdata/lab/" + one.scenario + ".toml")
			if err != nil {
				t.Fatal(err)
			}
			const seeds = 3
			var waste, end []float64
			for seed := range uint64(seeds) {
				s, err := Read(string(text))
				if err != nil {
					t.Fatal(err)
				}
				r, err := Run(s, Options{Seed: seed, Quick: true})
				if err != nil || len(r.Wrong) > 0 {
					t.Fatal(err, r.Wrong)
				}
				for _, n := range r.Nodes {
					if part := float64(n.Duplicate) / float64(s.Content); part > one.worst {
						t.Errorf("seed %d: %s fetched %.3f of the content twice", seed, n.Name, part)
					}
				}
				waste = append(waste, float64(r.Total().Duplicate)/float64(s.Content)/float64(r.Downloaders()))
				end = append(end, r.End.Seconds()/r.Bound().Seconds())
			}
			slices.Sort(waste)
			slices.Sort(end)
			if w, e := waste[seeds/2], end[seeds/2]; w > one.waste || e > one.end {
				t.Errorf("%.4f of the content was fetched twice, and the last was complete after %.2f of the bound", w, e)
			}
		})
	}
}
