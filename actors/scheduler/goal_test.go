package scheduler

import (
	"testing"
	"time"

	"github.com/bits-and-blooms/bitset"
	"pgregory.net/rapid"

	"kouzui/messages"
)

func TestGoal(t *testing.T) {
	const pieceLength, lastPiece = 100, 7
	all := []uint{0, 1, 2, 3}
	for name, c := range map[string]struct {
		have     []uint
		wanted   []uint // nil: all
		complete bool
		count    int // pieces wanted
		left     int64
		verified int64
		interest int // in a peer that has pieces 2 and 3
	}{
		"nothing there":                 {nil, nil, false, 4, 307, 0, 2},
		"a part":                        {[]uint{0, 3}, nil, false, 4, 200, 107, 1},
		"everything":                    {all, nil, true, 4, 0, 307, 0},
		"half wanted, nothing there":    {nil, []uint{0, 3}, false, 2, 107, 0, 1},
		"half wanted, the others there": {[]uint{1, 2}, []uint{0, 3}, false, 2, 107, 200, 1},
		"half wanted and there":         {[]uint{0, 3}, []uint{0, 3}, true, 2, 0, 107, 0},
		"half wanted, all there":        {all, []uint{0, 3}, true, 2, 0, 307, 0},
		"nothing wanted":                {[]uint{1}, []uint{}, true, 0, 0, 100, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var wanted *bitset.BitSet
			if c.wanted != nil {
				wanted = bitsOf(4, c.wanted...)
			}
			g := newGoal(geometryOf(4, pieceLength, lastPiece), wanted)
			if g.complete() {
				t.Error("it is complete before the store has looked")
			}
			g.begin(bitset.New(4))
			for _, piece := range c.have {
				g.add(uint32(piece))
			}
			if g.complete() != c.complete || g.wantedPieces() != c.count || g.left() != c.left || g.verified() != c.verified {
				t.Errorf("complete %v, %d wanted, %d bytes left, %d there; want %v, %d, %d, %d",
					g.complete(), g.wantedPieces(), g.left(), g.verified(), c.complete, c.count, c.left, c.verified)
			}
			if n := g.interest(bitsOf(4, 2, 3)); n != c.interest {
				t.Errorf("a peer has %d pieces for us, not %d", n, c.interest)
			}
		})
	}
}

// A part of the pieces is wanted, then another part, then all. Each time that
// ends with these pieces verified. askings holds that no other piece is
// fetched, and none twice.
func TestWantedPiecesAreFetchedThenAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := geometryOf(rapid.IntRange(2, 40).Draw(t, "pieces"), rapid.Int64Range(1, 4*BlockSize).Draw(t, "piece length"), 1)
		s := openSwarm(g, rapid.SampledFrom(Pickers.Names()).Draw(t, "picker"), rapid.Uint64().Draw(t, "seed"))
		rng := seeded(rapid.Uint64().Draw(t, "world"))
		some := func() *bitset.BitSet {
			pieces := bitset.New(uint(g.pieces))
			for i := range pieces.Len() {
				pieces.SetTo(i, rng.IntN(2) == 0)
			}
			return pieces
		}
		first, second := some(), some()
		s.setWanted(&messages.SetWanted{Pieces: first})
		x := newSim(t, s)
		// No peer is a seed, which would be dismissed when the first part is there.
		x.add(1, full(g.pieces).Clear(0), 1e6, 16)
		x.add(2, bitsOf(g.pieces, 0), 1e6, 16)
		partial := some().Clear(0)
		x.add(3, partial, 1e5, 4)
		if p := x.peers[3].p; p.interested != (partial.IntersectionCardinality(first) > 0) {
			t.Fatalf("interested in a peer that has %v: %v, where %v are wanted", partial, p.interested, first)
		}
		x.after(time.Duration(rng.IntN(300))*time.Millisecond, func() { s.setWanted(&messages.SetWanted{Pieces: second}) })
		x.runUntil(func() bool { return s.wanted == second && s.complete() }, time.Hour)
		for _, p := range s.peers {
			if p.interested {
				t.Fatalf("interested in peer %d, of which nothing is wanted", p.Key)
			}
		}
		if m := s.progress(); m.Left != 0 || m.Wanted != int(second.Count()) || !s.have.IsSuperSet(second) || !first.Union(second).IsSuperSet(s.have) {
			t.Fatalf("done with %v of %v, %d bytes left", s.have, second, m.Left)
		}
		s.setWanted(&messages.SetWanted{})
		if missing := g.pieces - s.owned; missing > 0 && !x.lookAt(1).interested && !x.lookAt(2).interested {
			t.Fatalf("%d pieces are wanted again, and nobody is of interest", missing)
		}
		x.run(time.Hour)
		if m := s.progress(); m.Left != 0 || m.Have != g.length || s.owned != g.pieces {
			t.Fatalf("all is wanted and complete with %d of %d bytes", m.Have, g.length)
		}
	})
}

// lookAt returns a peer, after it was told what the swarm wants it to be told.
func (x *sim) lookAt(key messages.PeerKey) *peer {
	x.flush()
	return x.peers[key].p
}

// The store says that it has finished what was wanted before. That counts only
// if it is all that is wanted now.
func TestFinishedCountsForWhatIsWantedNow(t *testing.T) {
	first, more := bitsOf(4, 0, 1), bitsOf(4, 0, 1, 2)
	for name, tc := range map[string]struct {
		wanted   *bitset.BitSet // when StoreFinished comes; nil: all
		finished bool
	}{
		"the same": {first, true},
		"less":     {bitsOf(4, 1), true},
		"more":     {more, false},
		"all":      {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := openSwarm(geometryOf(4, BlockSize, BlockSize), "rarest", 1)
			s.setWanted(&messages.SetWanted{Pieces: first})
			s.pieceVerified(0)
			s.pieceVerified(1)
			s.setWanted(&messages.SetWanted{Pieces: tc.wanted})
			s.storeFinished(first)
			if s.disk.finished != tc.finished {
				t.Errorf("finished: %v", s.disk.finished)
			}
			for _, piece := range []uint32{2, 3} {
				s.pieceVerified(piece)
			}
			if seeding := s.state() == messages.StateSeeding; seeding != tc.finished {
				t.Errorf("with all pieces it is %s", s.state())
			}
			s.storeFinished(bitsOf(4, 0, 1, 2, 3))
			if s.state() != messages.StateSeeding {
				t.Errorf("in the end it is %s", s.state())
			}
		})
	}
}

// The same of a store that becomes ready.
func TestReadyCountsForWhatIsWantedNow(t *testing.T) {
	s := newSwarm(geometryOf(4, BlockSize, BlockSize), bitsOf(4, 0), 1<<20, rarest{}, seeded(1))
	s.setWanted(&messages.SetWanted{})
	s.storeReady(&messages.StoreReady{Have: bitsOf(4, 0), Complete: true})
	if s.disk.finished {
		t.Error("it is finished with one of four pieces")
	}
}

// A PieceVerified or SetWanted that is delayed beyond the store's word does not
// leave the torrent finishing for ever.
func TestFinishedThoughAMessageComesLate(t *testing.T) {
	two := bitsOf(4, 0, 1)
	for name, tc := range map[string]struct {
		wanted *bitset.BitSet // at first; nil: all
		late   func(*swarm)
		saved  *bitset.BitSet
	}{
		"a piece of all":              {nil, func(s *swarm) { s.pieceVerified(1) }, bitsOf(4, 0, 1, 2, 3)},
		"a piece of some":             {two, func(s *swarm) { s.pieceVerified(1) }, two},
		"that no more is wanted":      {nil, func(s *swarm) { s.setWanted(&messages.SetWanted{Pieces: two}); s.pieceVerified(1) }, two},
		"a piece, and what is wanted": {nil, func(s *swarm) { s.pieceVerified(1); s.setWanted(&messages.SetWanted{Pieces: two}) }, two},
	} {
		t.Run(name, func(t *testing.T) {
			s := openSwarm(geometryOf(4, BlockSize, BlockSize), "rarest", 1)
			s.setWanted(&messages.SetWanted{Pieces: tc.wanted})
			for piece := range tc.saved.EachSet() {
				if piece != 1 {
					s.pieceVerified(uint32(piece))
				}
			}
			s.storeFinished(tc.saved)
			if s.state() == messages.StateSeeding {
				t.Error("it is seeding while a piece is not known to be verified")
			}
			tc.late(s)
			if s.state() != messages.StateSeeding {
				t.Errorf("with all pieces it is %s", s.state())
			}
		})
	}
}
