package scheduler

import (
	"testing"

	"github.com/bits-and-blooms/bitset"
	"pgregory.net/rapid"

	"kouzui/messages"
)

// Whichever picker chooses, pieces are begun by their class: those of High,
// then the others, then those of Low; and all are begun.
func TestUrgentPiecesAreBegunFirst(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		pieces := rapid.IntRange(1, 200).Draw(r, "pieces")
		class := func(name string) *bitset.BitSet {
			if !rapid.Bool().Draw(r, "any "+name) {
				return nil
			}
			some := bitset.New(uint(pieces))
			for range rapid.IntRange(0, pieces).Draw(r, name) {
				some.Set(uint(rapid.IntRange(0, pieces-1).Draw(r, "piece")))
			}
			return some
		}
		high, low := class("high"), class("low")
		if high != nil && low != nil {
			low = low.Difference(high)
		}
		picker := rapid.SampledFrom([]Picker{rarest{}, random{}, sequential{}}).Draw(r, "picker")
		s := newSwarm(geometryOf(pieces, BlockSize, BlockSize), nil, testMemory, picker, seeded(1))
		s.storeReady(&messages.StoreReady{Have: bitset.New(uint(pieces))})
		s.setWanted(&messages.SetWanted{High: high, Low: low})
		p := &peer{PeerReady: &messages.PeerReady{}, have: bitset.New(uint(pieces)).Complement(), wanted: pieces}
		s.planner.count(p)
		rank := func(piece uint32) int {
			switch {
			case high != nil && high.Test(uint(piece)):
				return 0
			case low != nil && low.Test(uint(piece)):
				return 2
			}
			return 1
		}
		last, begun := 0, 0
		for {
			piece, ok := s.planner.pick(p)
			if !ok {
				break
			}
			if rank(piece) < last {
				r.Fatalf("piece %d of class %d after one of class %d", piece, rank(piece), last)
			}
			last = rank(piece)
			s.planner.avail.Close(piece)
			begun++
		}
		if begun != pieces {
			r.Fatalf("%d of %d pieces are begun", begun, pieces)
		}
	})
}
