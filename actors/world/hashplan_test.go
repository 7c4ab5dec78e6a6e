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
		"small pieces":           {16 << 20, 16 << 10, least, world.HashPlan{Together: digest.Lanes}},
		"pieces like runs":       {14 << 20, 512 << 10, least, world.HashPlan{Together: digest.Lanes}},
		"two runs":               {14 << 20, 1 << 20, least, world.HashPlan{Together: digest.Lanes, Run: 512 << 10}},
		"larger than memory":     {14 << 20, 16 << 20, least, world.HashPlan{Together: digest.Lanes, Run: 592 << 10}},
		"little memory":          {4 << 20, 1 << 20, least, world.HashPlan{Together: digest.Lanes, Run: 160 << 10}},
		"much memory":            {1 << 30, 16 << 20, least, world.HashPlan{Together: digest.Lanes, Run: 1 << 20}},
		"little, small pieces":   {1 << 20, 64 << 10, least, world.HashPlan{Together: digest.Lanes}},
		"little, fewer pieces":   {1 << 20, 128 << 10, least, world.HashPlan{Together: 5}},
		"little, fewer than pay": {1 << 20, 256 << 10, least, world.HashPlan{Together: 1}},
		"little, large pieces":   {1 << 20, 4 << 20, least, world.HashPlan{Together: 1, Run: 1 << 20}},
		"hardly any":             {1, 16 << 10, least, world.HashPlan{Together: 1}},
		"no lanes":               {14 << 20, 2 << 20, never, world.HashPlan{Together: 1}},
		"no lanes, large":        {14 << 20, 2<<20 + 1, never, world.HashPlan{Together: 1, Run: 1 << 20}},
	} {
		m := world.Machine{Together: tc.together}
		if got := m.PlanHashing(tc.memory, tc.pieceLength); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}
