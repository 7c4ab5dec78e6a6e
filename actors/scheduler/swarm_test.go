package scheduler

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func geometryOf(pieces int, pieceLength, lastPiece int64) geometry {
	return geometry{length: int64(pieces-1)*pieceLength + lastPiece, pieceLength: pieceLength, pieces: pieces}
}

// testMemory is more than any test needs that does not set its own.
const testMemory = 32 << 20

func openSwarm(g geometry, picker string, seed uint64) *swarm {
	s := newSwarm(g, nil, testMemory, pickerOf(picker), seeded(seed))
	s.torrent = &metainfo.Torrent{}
	s.now = epoch
	s.storeReady(&messages.StoreReady{Have: bitset.New(uint(g.pieces))})
	return s
}

func testAddr(key messages.PeerKey) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, byte(key >> 8), byte(key)}), 1)
}

func (s *swarm) joinTest(key messages.PeerKey, have *bitset.BitSet) *peer {
	return s.joinFrom(testAddr(key), key, have)
}

func (s *swarm) joinFrom(addr netip.AddrPort, key messages.PeerKey, have *bitset.BitSet) *peer {
	s.peerReady(&messages.PeerReady{Key: key, Link: uint64(key), Addr: addr})
	p := s.byKey[key]
	s.peerBitfield(p, have)
	return p
}

func TestSimulatedSwarms(t *testing.T) {
	const mb = 1e6
	half := func(n, parity int) *bitset.BitSet {
		b := bitset.New(uint(n))
		for i := parity; i < n; i += 2 {
			b.Set(uint(i))
		}
		return b
	}
	for _, tc := range []struct {
		name   string
		g      geometry
		memory int64
		add    func(x *sim, n int)
		limit  time.Duration // of the ideal time, and a bit for the start
		waste  float64
	}{
		{"one seed", geometryOf(64, 256<<10, 1000), 0, func(x *sim, n int) {
			x.add(1, full(n), 10*mb, 64)
		}, 1700 * time.Millisecond, 0},
		{"two halves", geometryOf(64, 256<<10, 1000), 0, func(x *sim, n int) {
			x.add(1, half(n, 0), 10*mb, 64)
			x.add(2, half(n, 1), 10*mb, 64)
		}, 900 * time.Millisecond, 0},
		{"fast and very slow", geometryOf(64, 256<<10, 256<<10), 0, func(x *sim, n int) {
			x.add(1, full(n), 10*mb, 64)
			x.add(2, full(n), 0.01*mb, 16)
		}, 2300 * time.Millisecond, 0.05},
		{"one that never answers", geometryOf(64, 256<<10, 256<<10), 0, func(x *sim, n int) {
			x.add(1, full(n), 0, 64)
			x.add(2, full(n), 10*mb, 64)
		}, 3500 * time.Millisecond, 0},
		{"many slow, large pieces, small memory", geometryOf(8, 4<<20, 5), 4 << 20, func(x *sim, n int) {
			for k := range 40 {
				x.add(messages.PeerKey(k+1), full(n), 0.1*mb, 8)
			}
		}, 9 * time.Second, 0.05},
		{"halves, pieces larger than memory", geometryOf(4, 4<<20, 4<<20), 1 << 20, func(x *sim, n int) {
			x.add(1, half(n, 0), 1*mb, 16)
			x.add(2, half(n, 1), 1*mb, 16)
		}, 20 * time.Second, 0.02},
		{"odd pieces", geometryOf(300, 50_001, 17), 0, func(x *sim, n int) {
			for k := range 5 {
				x.add(messages.PeerKey(k+1), full(n), 1*mb, 32)
			}
		}, 3500 * time.Millisecond, 0.02},
		{"tiny pieces", geometryOf(1000, 100, 1), 0, func(x *sim, n int) {
			x.add(1, full(n), 1*mb, 32)
			x.add(2, full(n), 1*mb, 32)
		}, time.Second, 0.1},
	} {
		for _, picker := range Pickers.Names() {
			t.Run(fmt.Sprintf("%s, %s", tc.name, picker), func(t *testing.T) {
				s := openSwarm(tc.g, picker, 7)
				if tc.memory > 0 {
					s.setMemory(tc.memory)
				}
				x := newSim(t, s)
				tc.add(x, tc.g.pieces)
				took := x.run(time.Hour)
				wasted := float64(x.bytes-tc.g.length) / float64(tc.g.length)
				t.Logf("%v, wasted %.3f, %d of %d pieces from one peer, at most %d blocks held",
					took, wasted, x.single, tc.g.pieces, x.maxHeld)
				if took > tc.limit {
					t.Errorf("took %v, more than %v", took, tc.limit)
				}
				if wasted > tc.waste {
					t.Errorf("%.3f of the bytes were redundant", wasted)
				}
			})
		}
	}
}

func TestLiarIsFoundAndBanned(t *testing.T) {
	g := geometryOf(40, 128<<10, 128<<10)
	s := openSwarm(g, "rarest", 3)
	x := newSim(t, s)
	x.corrupt = func(_ uint32, from map[messages.PeerKey]bool) bool { return from[4] }
	for k := messages.PeerKey(1); k <= 4; k++ {
		x.add(k, full(g.pieces), 1e6, 2) // too slow for pieces of their own
	}
	for len(s.orders.bans) == 0 {
		x.step()
		if s.now.Sub(epoch) > time.Hour {
			t.Fatal("nobody is banned")
		}
	}
	liar := x.peers[4].p
	if len(s.orders.bans) != 1 || s.orders.bans[0].Addr != liar.Addr || !liar.dismissed {
		t.Fatalf("banned %v, want %v alone", s.orders.bans, liar.Addr)
	}
	s.leave(liar)
	x.run(time.Hour)
	s.blame.proven(&messages.BlameProven{Peers: []messages.PeerKey{4}})
	if len(s.orders.bans) != 1 {
		t.Error("a liar is banned twice")
	}
	if len(s.blame.suspects) != 0 {
		t.Errorf("suspects are left: %v", s.blame.suspects)
	}
}

// A second bitfield does not take back pieces that the peer has announced
// before.
func TestLaterBitfieldAddsPieces(t *testing.T) {
	const pieces = 4
	s := openSwarm(geometry{length: pieces, pieceLength: 1, pieces: pieces}, "rarest", 1)
	p := s.joinTest(1, bitset.New(pieces).Set(0))
	s.peerHave(p, []uint32{1})
	s.peerBitfield(p, bitset.New(pieces).Set(2).Set(3))
	if !p.seed(pieces) || p.pieces != pieces || p.wanted != pieces {
		t.Errorf("it has %v, %d pieces, %d of them wanted", p.have, p.pieces, p.wanted)
	}
	s.leave(p)
	for piece := range uint32(pieces) {
		if n := s.planner.avail.Count(piece); n != 0 {
			t.Errorf("%d peers seem to have piece %d", n, piece)
		}
	}
}

// In a crowd, what is wanted of peers that choke us is counted when they have
// their turn to be told of pieces, and in any case before the count is used.
func TestInterestInACrowd(t *testing.T) {
	s := openSwarm(geometryOf(4, BlockSize, BlockSize), "", 1)
	for i := range crowd + 1 {
		s.joinTest(messages.PeerKey(i), bitset.New(4).Set(0).Set(1))
	}
	p := s.peers[0]
	s.pieceVerified(0)
	s.peerChoking(p, &messages.PeerChoking{})
	if p.wanted != 1 {
		t.Errorf("of a peer that lets us download %d pieces are wanted, not 1", p.wanted)
	}
	s.pieceVerified(1)
	if p.wanted != 0 {
		t.Errorf("%d pieces are wanted that are ours", p.wanted)
	}
	s.pieceVerified(2)
	s.pieceVerified(3)
	for range 2 { // turns
		s.now = s.now.Add(haveWait)
		s.spread(func(*peer, *messages.AnnounceHave) {})
	}
	for _, p := range s.peers {
		if p.wanted != 0 || !p.touched {
			t.Fatalf("all is there and told, and of peer %d %d pieces are wanted", p.Key, p.wanted)
		}
	}
}

// A seed that has lost pieces is none any more, and counts for what it has. A
// piece that was left to it may come from another.
func TestPeersLosePieces(t *testing.T) {
	s := newSwarm(geometryOf(4, 2*BlockSize, BlockSize), nil, testMemory, rarest{}, seeded(1))
	s.storeReady(&messages.StoreReady{Have: bitsOf(4)})
	join := func(key messages.PeerKey) *peer {
		s.peerReady(&messages.PeerReady{Key: key})
		p := s.byKey[key]
		s.peerBitfield(p, bitsOf(4, 0, 1, 2, 3))
		s.peerChoking(p, &messages.PeerChoking{Window: 1})
		return p
	}
	first := join(1)
	began := first.queue.at(0).a
	if began.leftTo() != first {
		t.Fatal("the piece is not left to the first")
	}
	s.peerDontHave(first, []uint32{began.piece, began.piece})
	if first.pieces != 3 || first.seed(4) || first.cameSeed || first.wanted != 3 || s.planner.avail.Count(began.piece) != 0 {
		t.Errorf("it has %d pieces, %d of them wanted, and the piece is counted %d times", first.pieces, first.wanted, s.planner.avail.Count(began.piece))
	}
	if first.queue.len() != 1 || began.leftTo() != nil || s.planner.continued(first) != nil {
		t.Errorf("%d requests, left to %v", first.queue.len(), began.leftTo())
	}
	s.peerHave(first, []uint32{began.piece})
	if !first.seed(4) || s.planner.avail.Count(began.piece) != 1 {
		t.Error("what was lost and found does not count")
	}
}

// TestALostPieceMovesNoOthers: a peer that says again and again that it has
// lost a piece has its other pieces counted anew once at most.
func TestALostPieceMovesNoOthers(t *testing.T) {
	const pieces = 1000
	s := openSwarm(geometryOf(pieces, 16<<10, 16<<10), "rarest", 1)
	all := bitset.New(pieces).Complement()
	for i, have := range []*bitset.BitSet{all.Clone(), all.Clone().Clear(9)} {
		key := messages.PeerKey(1 + i)
		s.peerReady(&messages.PeerReady{Key: key})
		p := s.byKey[key]
		s.peerBitfield(p, have)
		s.peerDontHave(p, []uint32{0})
		for piece := range uint32(5) {
			before := slices.Clone(s.planner.avail.place)
			s.peerHave(p, []uint32{piece})
			s.peerDontHave(p, []uint32{piece})
			moved := 0
			for i, place := range s.planner.avail.place {
				if place != before[i] {
					moved++
				}
			}
			if moved > 8 { // a have and a loss swap two pairs each
				t.Errorf("peer %d: %d pieces have moved", key, moved)
			}
		}
	}
}
