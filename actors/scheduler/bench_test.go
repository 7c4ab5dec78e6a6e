package scheduler

import (
	"testing"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
)

const manyPieces, manyPeers = 100_000, 200

// manySwarm has many pieces, and many peers of which each has half of them.
func manySwarm() *swarm {
	s := openSwarm(geometryOf(manyPieces, 256<<10, 256<<10), "rarest", 1)
	rng := seeded(2)
	for k := range manyPeers {
		words := make([]uint64, (manyPieces+63)/64)
		for i := range words {
			words[i] = rng.Uint64()
		}
		words[len(words)-1] &= 1<<(manyPieces%64) - 1
		s.joinTest(messages.PeerKey(k+1), bitset.FromWithLength(manyPieces, words))
	}
	s.owned = firstRandom
	return s
}

func BenchmarkPick(b *testing.B) {
	s := manySwarm()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		p := s.peers[i%manyPeers]
		i++
		piece, ok := s.planner.picker.Pick(s.planner.avail, Offer{Have: p.have, Wanted: p.wanted, Owned: s.owned})
		if !ok {
			b.Fatal("nothing to pick")
		}
		s.planner.avail.Close(piece)
		s.planner.avail.Reopen(piece)
	}
}

func BenchmarkHave(b *testing.B) {
	s := manySwarm()
	rng := seeded(3)
	b.ReportAllocs()
	for b.Loop() {
		piece := uint32(rng.IntN(manyPieces))
		s.planner.avail.Rise(piece)
		s.planner.avail.Fall(piece)
	}
}

// BenchmarkDontHave measures what it costs that a peer has a piece, and that it
// has not, as a hostile one may say in turn.
func BenchmarkDontHave(b *testing.B) {
	s := manySwarm()
	p := s.peers[0]
	pieces := []uint32{0}
	b.ReportAllocs()
	for b.Loop() {
		s.peerHave(p, pieces)
		s.peerDontHave(p, pieces)
	}
}

// BenchmarkBlock measures what one block costs in steady state: its arrival,
// its share of the next request, and its share of the beginning and end of its
// piece.
func BenchmarkBlock(b *testing.B) {
	const window, batch = 256, 16
	s := manySwarm()
	for _, p := range s.peers[:8] {
		s.peerChoking(p, &messages.PeerChoking{Window: window})
		p.ask = p.ask[:0]
	}
	s.orders.peers = s.orders.peers[:0]
	blocks := make([]messages.Block, 0, batch)
	pieces := make([]*active, 0, batch)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		if n++; n%batch != 0 {
			continue
		}
		p := s.peers[n/batch%8]
		blocks, pieces = blocks[:0], pieces[:0]
		for i := range min(batch, p.queue.len()) {
			r := p.queue.at(i)
			blocks = append(blocks, s.block(r.a.piece, r.i))
			pieces = append(pieces, r.a)
		}
		s.now = s.now.Add(time.Millisecond)
		s.blocksArrived(p, &messages.BlocksArrived{Blocks: blocks, Window: window})
		for _, a := range pieces {
			if !a.finished && a.arrived == a.needed {
				s.pieceVerified(a.piece)
			}
		}
		for _, p := range s.orders.peers {
			p.touched, p.ask = false, p.ask[:0]
		}
		s.orders.peers, s.haves = s.orders.peers[:0], haves{}
		if s.planner.avail.Open() < manyPieces/2 {
			b.StopTimer()
			for piece, ok := s.have.NextSet(0); ok; piece, ok = s.have.NextSet(piece + 1) {
				s.have.Clear(piece)
				s.planner.avail.Reopen(uint32(piece))
				for _, p := range s.peers {
					if p.have.Test(piece) {
						p.wanted++
					}
				}
			}
			s.goal.begin(s.have)
			b.StartTimer()
		}
	}
}
