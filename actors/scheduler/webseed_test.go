package scheduler

import (
	"net/netip"
	"testing"
	"time"

	"kouzui/messages"
)

func (s *swarm) joinWebSeed(key messages.PeerKey) *peer {
	s.peerReady(&messages.PeerReady{Key: key, Source: messages.WebSeed, Name: "seed.example", At: s.now})
	p := s.byKey[key]
	s.peerBitfield(p, full(s.pieces))
	return p
}

// A web seed is asked for pieces that follow each other, first for the longest
// run that is open.
func TestWebSeedsAreAskedForLongRuns(t *testing.T) {
	s := openSwarm(geometryOf(20, 2*BlockSize, BlockSize), "rarest", 1)
	for _, had := range []uint32{3, 4, 11} {
		s.pieceVerified(had)
	}
	p := s.joinWebSeed(1)
	s.peerChoking(p, &messages.PeerChoking{Answers: true, Window: 20})
	var pieces []uint32
	for i := range p.queue.len() {
		if r := p.queue.at(i); r.i == 0 {
			pieces = append(pieces, r.a.piece)
		}
	}
	want := []uint32{12, 13, 14, 15, 16, 17, 18, 19, 5, 6, 7, 8, 9, 10}
	for i, piece := range pieces {
		if i >= len(want) || piece != want[i] {
			t.Fatalf("it is asked for %v, want the beginning of %v", pieces, want)
		}
	}
	if len(pieces) == 0 {
		t.Error("it is asked for nothing")
	}
}

// A web seed that lies is told so, at once and once, and no host is distrusted
// for it; one that has left is told as well.
func TestWebSeedsThatLieAreTold(t *testing.T) {
	s := openSwarm(geometryOf(1000, BlockSize, BlockSize), "rarest", 1)
	first, second := s.joinWebSeed(1), s.joinWebSeed(2)
	s.blame.corrupt(&messages.PieceCorrupt{Piece: 0, Contributors: []messages.PeerKey{1}})
	s.blame.proven(&messages.BlameProven{Piece: 0, Peers: []messages.PeerKey{1}})
	if len(s.orders.lies) != 1 || s.orders.lies[0].of != first.PeerReady || len(s.orders.bans) > 0 || len(s.blame.hosts) > 0 {
		t.Errorf("%v are told, %v banned", s.orders.lies, s.orders.bans)
	}
	if second.parole != nil || s.joinWebSeed(3).parole != nil {
		t.Error("others are on parole")
	}
	second.brought = true
	s.leave(second)
	s.blame.proven(&messages.BlameProven{Piece: 0, Peers: []messages.PeerKey{2}})
	if len(s.orders.lies) != 2 || s.orders.lies[1].of != second.PeerReady || len(s.orders.bans) > 0 {
		t.Errorf("%v are told, %v banned", s.orders.lies, s.orders.bans)
	}
}

// A web seed takes no connection that another peer could have.
func TestWebSeedsAreNotEvicted(t *testing.T) {
	s := openSwarm(geometryOf(1000, BlockSize, BlockSize), "rarest", 1)
	p := s.joinWebSeed(1)
	s.now = s.now.Add(time.Hour)
	s.evictIdle()
	if p.dismissed {
		t.Error("it is evicted")
	}
	if p.Addr != (netip.AddrPort{}) {
		t.Error("it has an address")
	}
}
