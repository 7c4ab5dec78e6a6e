package peer

import (
	"slices"
	"testing"

	"kouzui/messages"
	"kouzui/wire/extended"
	"kouzui/wire/frame"
)

func dontHaveFrame(piece uint32) frame.Frame {
	return frame.Frame{Kind: frame.Extended, Index: uint32(extended.DontHave), Bits: extended.AppendDontHave(nil, piece)}
}

// What comes in one batch is told as lost first, and then as what there is.
func TestPiecesAreLost(t *testing.T) {
	have := func(piece uint32) frame.Frame { return frame.Frame{Kind: frame.Have, Index: piece} }
	for name, c := range map[string]struct {
		frames []frame.Frame
		lost   []uint32
		haves  []uint32
		pieces int
		seed   bool
	}{
		"a piece":                   {[]frame.Frame{dontHaveFrame(3)}, []uint32{3}, nil, 9, false},
		"a piece twice":             {[]frame.Frame{dontHaveFrame(3), dontHaveFrame(3)}, []uint32{3}, nil, 9, false},
		"and found":                 {[]frame.Frame{dontHaveFrame(3), have(3)}, []uint32{3}, []uint32{3}, 10, true},
		"and found, and lost again": {[]frame.Frame{dontHaveFrame(3), have(3), dontHaveFrame(3)}, []uint32{3, 3}, nil, 9, false},
		"no number":                 {[]frame.Frame{{Kind: frame.Extended, Index: uint32(extended.DontHave)}}, nil, nil, 10, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSession(t)
			s.speakFast()
			s.take(t, frame.Frame{Kind: frame.HaveAll}, start)
			s.out = effects{}
			for _, f := range c.frames {
				s.take(t, f, start)
			}
			if !slices.Equal(s.out.lost, c.lost) || !slices.Equal(s.out.haves, c.haves) {
				t.Errorf("lost %v, haves %v", s.out.lost, s.out.haves)
			}
			if s.pieces != c.pieces || int(s.theirs.Count()) != c.pieces || s.flags.Seed != c.seed {
				t.Errorf("%d pieces, %d in the set, a seed %v", s.pieces, s.theirs.Count(), s.flags.Seed)
			}
		})
	}
	s := newTestSession(t)
	s.speakFast()
	s.take(t, frame.Frame{Kind: frame.HaveAll}, start)
	s.take(t, dontHaveFrame(3), start)
	if s.out.bitfield.Test(3) || !s.out.bitfield.Test(4) {
		t.Error("the bitfield of the batch has what is lost")
	}
	f := dontHaveFrame(10)
	if err := s.received(&f, start); err == nil {
		t.Error("takes a piece out of range")
	}
}

// What is under way of a lost piece stays, and is answered.
func TestRequestsOutliveTheirPiece(t *testing.T) {
	s := newTestSession(t)
	s.speakFast()
	s.take(t, frame.Frame{Kind: frame.HaveAll}, start)
	s.take(t, frame.Frame{Kind: frame.Unchoke}, start)
	b := messages.Block{Piece: 3, Length: blockSize}
	s.want([]messages.Block{b})
	s.ask(blockSize, start)
	s.take(t, dontHaveFrame(3), start)
	if len(s.requests.flight) != 1 || len(s.out.dropped) != 0 {
		t.Fatal("takes back what is under way")
	}
	s.take(t, frame.Frame{Kind: frame.Reject, Index: 3, Length: blockSize}, start)
	if !slices.Equal(s.out.dropped, []messages.Block{b}) {
		t.Errorf("dropped %v", s.out.dropped)
	}
}
