package scheduler

import (
	"slices"
	"testing"

	"kouzui/messages"
)

// Pieces that somebody waits for are asked of all peers before others, in their
// order, and blocks of one are asked of several peers.
func TestAwaitedPiecesComeFirst(t *testing.T) {
	s := openSwarm(geometryOf(100, 4*BlockSize, 4*BlockSize), "rarest", 1)
	s.planner.setAwaited([]uint32{40, 41, 99})
	var asked []uint32
	for key := range messages.PeerKey(6) {
		p := s.joinTest(key+1, full(100))
		p.ask = p.ask[:0]
		s.peerChoking(p, &messages.PeerChoking{Window: 2})
		for _, b := range p.ask {
			asked = append(asked, b.Piece)
		}
	}
	want := []uint32{40, 40, 40, 40, 41, 41, 41, 41, 99, 99, 99, 99}
	if !slices.Equal(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}
}

// When somebody reads from another place, what was asked for the old one is
// taken back, and asked for later.
func TestWhatIsAwaitedMoves(t *testing.T) {
	s := openSwarm(geometryOf(100, 4*BlockSize, 4*BlockSize), "sequential", 1)
	p := s.joinTest(1, full(100))
	s.planner.setAwaited([]uint32{10, 11})
	s.peerChoking(p, &messages.PeerChoking{Window: 6})
	queued := func() (pieces []uint32) {
		for i := range p.queue.len() {
			pieces = append(pieces, p.queue.at(i).a.piece)
		}
		return slices.Compact(pieces)
	}
	if got := queued(); !slices.Equal(got, []uint32{10, 11}) {
		t.Fatalf("asked for %v", got)
	}
	s.planner.setAwaited([]uint32{11, 12}) // goes on
	if got := queued(); !slices.Equal(got, []uint32{10, 11}) {
		t.Errorf("after a step it is asked for %v", got)
	}
	s.planner.setAwaited([]uint32{70, 71})
	if got := queued(); !slices.Equal(got, []uint32{70, 71}) {
		t.Errorf("after a move it is asked for %v", got)
	}
	s.planner.setAwaited(nil)
	p.window = 100
	s.planner.refill(p)
	if got := queued(); !slices.Contains(got, 10) || !slices.Contains(got, 0) {
		t.Errorf("once nobody waits it is asked for %v", got)
	}
}
