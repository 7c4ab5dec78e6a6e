package scheduler

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/actors/world"
	"kouzui/messages"
)

const (
	largePiece = 4 << 20
	runOfLarge = 448 << 10
)

// openLarge is a swarm of large pieces, of which runs are hashed side by side.
func openLarge(pieces int) *swarm {
	s := openSwarm(geometryOf(pieces, largePiece, largePiece), "sequential", 1)
	s.setMemory(14 << 20)
	s.planner.abreast.setPlan(world.HashPlan{Together: 8, Run: runOfLarge})
	return s
}

// drawPlan draws how pieces are hashed; runs may be longer than they are, or
// than the memory.
func drawPlan(t *rapid.T) world.HashPlan {
	return world.HashPlan{Together: rapid.IntRange(1, 8).Draw(t, "together"), Run: rapid.Int64Range(0, 10).Draw(t, "run") * BlockSize}
}

// A peer brings as many large pieces abreast as come within abreastTime, a run
// of each in turn; a slow one brings one after the other.
func TestFastPeersBringLargePiecesAbreast(t *testing.T) {
	for name, tc := range map[string]struct {
		rate float64 // pieces a second
		want int     // pieces at a time
	}{
		"fast":        {100, 8},
		"not so fast": {7, 3},
		"slow":        {1.5, 1},
		"a minute":    {1.0 / 60, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := openLarge(40)
			x := newSim(t, s)
			x.add(1, full(40), tc.rate*largePiece, 256)
			most := 0
			x.runUntil(func() bool {
				amid := 0
				most = max(most, len(s.planner.ledger.partial))
				for _, a := range s.planner.ledger.partial {
					if a.lo%s.planner.abreast.run != 0 {
						amid++
					}
				}
				if amid > 1 {
					t.Fatalf("%d pieces amid a run", amid)
				}
				return s.complete()
			}, time.Hour)
			if most != tc.want {
				t.Errorf("%d pieces at a time, want %d", most, tc.want)
			}
			if x.single != 40 {
				t.Errorf("%d of 40 pieces came from one peer", x.single)
			}
		})
	}
}

// Several fast peers have no more pieces under way than fit, each a part of a
// run, into the memory, and none is left without one.
func TestFastPeersShareTheMemory(t *testing.T) {
	s := openLarge(60)
	x := newSim(t, s)
	for key := range messages.PeerKey(4) {
		x.add(key+1, full(60), 50*largePiece, 64)
	}
	most := 0
	x.runUntil(func() bool {
		most = max(most, len(s.planner.ledger.partial))
		return s.complete()
	}, time.Hour)
	if most > 8+4 {
		t.Errorf("%d pieces at a time", most)
	}
	if limit := s.planner.budget.limit; x.maxHeld > limit {
		t.Errorf("%d blocks in memory, of %d", x.maxHeld, limit)
	}
	if x.single < 40 {
		t.Errorf("%d of 60 pieces came from one peer", x.single)
	}
}
