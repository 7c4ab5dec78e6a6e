package world_test

import (
	"testing"

	"kouzui/actors/world"
	"kouzui/wire/digest"
)

func TestPlanHashing(t *testing.T) {
	const least, never = 3, digest.Lanes + 1
	for name, tc := range map[string]struct {
		memory, pieceLength int64
		together            int
		want                world.HashPlan
	}{
		"small pieces":              {16 << 20, 16 << 10, least, world.HashPlan{Together: digest.Lanes}},
		"as many as fit":            {14 << 20, 2 << 20, least, world.HashPlan{Together: 4}},
		"fewer than pay":            {14 << 20, 2 << 20, 5, world.HashPlan{Together: 1}},
		"large pieces":              {14 << 20, 4 << 20, least, world.HashPlan{Together: digest.Lanes, Run: 448 << 10}},
		"larger than the memory":    {14 << 20, 16 << 20, least, world.HashPlan{Together: digest.Lanes, Run: 448 << 10}},
		"runs have a greatest size": {1 << 30, 1 << 30, least, world.HashPlan{Together: digest.Lanes, Run: 1 << 20}},
		"large pieces that fit":     {1 << 30, 16 << 20, least, world.HashPlan{Together: digest.Lanes}},
		"hardly any memory":         {1, 4 << 20, least, world.HashPlan{Together: digest.Lanes, Run: 16 << 10}},
		"no lanes, small pieces":    {14 << 20, 1 << 20, never, world.HashPlan{Together: 1}},
		"no lanes, large pieces":    {14 << 20, 4 << 20, never, world.HashPlan{Together: 1, Run: 1 << 20}},
	} {
		m := world.Machine{Together: tc.together}
		if got := m.PlanHashing(tc.memory, tc.pieceLength); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}
