package scheduler

import (
	"encoding/binary"
	"testing"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
)

func peerID(n uint64) (id [20]byte) {
	copy(id[:], "-KZ0001-")
	binary.BigEndian.PutUint64(id[12:], n)
	return id
}

// sharing is what the downloader of that number knows of the others, who all
// lack everything.
func sharing(self, downloaders, pieces int) *share {
	s := &share{self: hashOf(peerID(uint64(self))), roster: newRoster()}
	for k := range downloaders {
		if k != self {
			id := peerID(uint64(k))
			s.add(&peer{PeerReady: &messages.PeerReady{Key: messages.PeerKey(k), ID: id}, hash: hashOf(id), have: bitset.New(uint(pieces))})
		}
	}
	return s
}

// Every downloader comes first for about as many pieces as any other, and for
// no piece two of them stand at the same place.
func TestPiecesAreSharedOut(t *testing.T) {
	const downloaders, pieces = 8, 1000
	var all []*share
	for self := range downloaders {
		all = append(all, sharing(self, downloaders, pieces))
	}
	firsts := make([]int, downloaders)
	for piece := range uint32(pieces) {
		taken := make([]bool, downloaders)
		for self, s := range all {
			n := s.before(piece)
			if taken[n] {
				t.Fatalf("two downloaders have %d others before them for piece %d", n, piece)
			}
			if taken[n] = true; n == 0 {
				firsts[self]++
			}
		}
	}
	for self, n := range firsts {
		if n < pieces/downloaders/2 || n > 2*pieces/downloaders {
			t.Errorf("downloader %d comes first for %d of %d pieces", self, n, pieces)
		}
	}
}

// Who has a piece, and who came with everything, stands in nobody's way.
func TestOnlyThoseWhoLackAPieceComeBeforeUs(t *testing.T) {
	s := sharing(0, 5, 100)
	for piece := range uint32(100) {
		for _, p := range s.peers {
			if p.cameSeed = p.Key == 1; !p.cameSeed {
				p.have.Set(uint(piece))
			}
		}
		if n := s.before(piece); n != 0 {
			t.Errorf("%d come before us for piece %d", n, piece)
		}
	}
}

// Of pieces that are equally rare, that of which we come first is begun.
func TestOurPieceIsBegunFirst(t *testing.T) {
	const pieces = 60
	for _, owned := range []int{0, firstRandom} {
		s := sharing(0, 6, pieces)
		a := NewAvailability(pieces, seeded(1))
		ours := 0
		for range 10 {
			piece, ok := rarest{}.Pick(a, Offer{Have: full(pieces), Came: true, Wanted: pieces, Owned: owned, Share: s})
			if !ok {
				t.Fatal("nothing is picked")
			}
			if s.before(piece) == 0 {
				ours++
			}
			a.Close(piece)
		}
		if ours < 5 { // of 60 about 10 are ours
			t.Errorf("owning %d, of 10 pieces %d were ours", owned, ours)
		}
	}
}
