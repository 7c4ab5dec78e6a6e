package scheduler

import (
	"slices"
	"testing"

	"kouzui/messages"
)

// fastSwarm is a swarm of 8 pieces of 2 blocks with two seeds that answer each
// request (BEP 6) and choke us.
func fastSwarm() (s *swarm, a, b *peer) {
	s = openSwarm(geometryOf(8, 2*BlockSize, 2*BlockSize), "", 1)
	a, b = s.joinTest(1, full(8)), s.joinTest(2, full(8))
	return s, a, b
}

func (s *swarm) letDownload(p *peer, window int) {
	s.peerChoking(p, &messages.PeerChoking{Key: p.Key, Answers: true, Window: window})
}

// asks returns what p is asked for, and forgets that.
func (p *peer) asks() []messages.Block {
	asked := slices.Clone(p.ask)
	p.ask = p.ask[:0]
	return asked
}

// A peer that chokes us keeps what it was asked for until it answers, and is
// asked for no more. What it rejects is asked of others at once.
func TestAChokeThatIsAnsweredTakesNothingBack(t *testing.T) {
	s, a, b := fastSwarm()
	s.letDownload(a, 4)
	asked := a.asks()
	if len(asked) != 4 {
		t.Fatalf("asked for %v", asked)
	}
	s.peerChoking(a, &messages.PeerChoking{Key: a.Key, Choking: true, Answers: true, Window: 4})
	s.letDownload(b, 20)
	for _, block := range b.asks() {
		if slices.Contains(asked, block) {
			t.Fatalf("%v is asked of another while it may come", block)
		}
	}
	s.blocksArrived(a, &messages.BlocksArrived{Key: a.Key, Blocks: asked[:1], Window: 4, At: s.now})
	s.requestsDropped(a, &messages.RequestsDropped{Key: a.Key, Blocks: asked[1:], Window: 4})
	if again := b.asks(); !slices.Equal(sorted(again), sorted(asked[1:])) || len(a.ask) > 0 {
		t.Errorf("%v of %v are asked of the other, %v of the same", again, asked[1:], a.ask)
	}
	if a.serves || !b.serves {
		t.Errorf("serving: %v, %v", a.serves, b.serves)
	}
}

func sorted(blocks []messages.Block) []messages.Block {
	slices.SortFunc(blocks, func(x, y messages.Block) int {
		return (int(x.Piece)-int(y.Piece))<<20 + int(x.Begin) - int(y.Begin)
	})
	return blocks
}

// While it chokes us a peer is asked only for pieces that it allows and has,
// until it rejects them.
func TestAllowedPiecesAreAskedForWhileChoked(t *testing.T) {
	s := openSwarm(geometryOf(8, 2*BlockSize, 2*BlockSize), "", 1)
	have := full(8)
	have.Clear(3)
	p := s.joinTest(1, have)
	s.peerAllowed(p, &messages.PeerAllowed{Key: 1, Pieces: []uint32{3, 5, 6}, Window: 20})
	want := []messages.Block{s.block(5, 0), s.block(5, 1), s.block(6, 0), s.block(6, 1)}
	if got := sorted(p.asks()); !slices.Equal(got, want) {
		t.Fatalf("asked for %v", got)
	}
	s.requestsDropped(p, &messages.RequestsDropped{Key: 1, Blocks: want[:1], Window: 20})
	if got := p.asks(); len(got) > 0 || !slices.Equal(p.allowed, []uint32{3, 6}) {
		t.Errorf("after a reject: asked for %v, allowed %v", got, p.allowed)
	}
	s.peerHave(p, []uint32{3})
	if got := sorted(p.asks()); !slices.Equal(got, []messages.Block{s.block(3, 0), s.block(3, 1)}) {
		t.Errorf("once it has the third: %v", got)
	}
	s.letDownload(p, 20)
	if got := p.asks(); len(got) != 16-5 {
		t.Errorf("once it unchokes us: %d blocks", len(got))
	}
}

// What a peer owes that chokes us is asked of another at the end, if the first
// falls silent.
func TestTheEndDoesNotWaitForWhoChokesAndIsSilent(t *testing.T) {
	s, a, b := fastSwarm()
	s.letDownload(a, 4)
	asked := a.asks()
	s.peerChoking(a, &messages.PeerChoking{Key: a.Key, Choking: true, Answers: true, Window: 4})
	s.letDownload(b, 20)
	others := b.asks()
	s.now = s.now.Add(quietAfter * 3)
	s.blocksArrived(b, &messages.BlocksArrived{Key: b.Key, Blocks: others, Window: 20, At: s.now})
	if again := sorted(b.asks()); !slices.Equal(again, sorted(asked)) {
		t.Errorf("%v are asked of the other, want %v", again, asked)
	}
}
