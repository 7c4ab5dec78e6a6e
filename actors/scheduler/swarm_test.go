package scheduler

import (
	"container/heap"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/bits-and-blooms/bitset"
	"pgregory.net/rapid"

	"kouzui/messages"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func geometryOf(pieces int, pieceLength, lastPiece int64) geometry {
	return geometry{length: int64(pieces-1)*pieceLength + lastPiece, pieceLength: pieceLength, pieces: pieces}
}

// testMemory is room for whatever a test does not limit itself.
const testMemory = 32 << 20

func openSwarm(g geometry, picker string, seed uint64) *swarm {
	s := newSwarm(g, testMemory, picker, seeded(seed))
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
	p := s.join(&messages.PeerReady{Key: key, Link: uint64(key), Addr: addr})
	s.peerHas(p, have)
	return p
}

// sim drives a swarm with peers that deliver at a rate of their own, in virtual
// time, and with a store that verifies a piece as soon as all of it is there, and
// spills when half of the memory lies in unfinished ones.
type sim struct {
	t     tester
	s     *swarm
	peers map[messages.PeerKey]*simPeer
	store map[uint32]map[uint32]messages.PeerKey // piece -> begin -> from
	held  map[uint32]int                         // piece -> blocks of it in memory
	due   events
	asked *askings
	// corrupt says whether a piece of these contributors fails its hash.
	corrupt func(piece uint32, from map[messages.PeerKey]bool) bool
	// judge takes the place of all that.
	judge   func(piece uint32, blocks map[uint32]messages.PeerKey)
	addr    func(messages.PeerKey) netip.AddrPort // of a peer, if not its own
	bytes   int64                                 // that were delivered
	single  int                                   // pieces that came from one peer
	maxHeld int
}

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

type simPeer struct {
	p      *peer
	rate   float64
	window int
	asked  []messages.Block
	busy   bool
}

type event struct {
	at  time.Time
	seq int
	do  func()
}

type events struct {
	list []event
	seq  int
}

func (e *events) Len() int { return len(e.list) }
func (e *events) Less(i, j int) bool {
	a, b := e.list[i], e.list[j]
	return a.at.Before(b.at) || a.at.Equal(b.at) && a.seq < b.seq
}
func (e *events) Swap(i, j int) { e.list[i], e.list[j] = e.list[j], e.list[i] }
func (e *events) Push(x any)    { e.list = append(e.list, x.(event)) }
func (e *events) Pop() any {
	last := e.list[len(e.list)-1]
	e.list = e.list[:len(e.list)-1]
	return last
}

func newSim(t tester, s *swarm) *sim {
	sim := &sim{
		t: t, s: s, peers: map[messages.PeerKey]*simPeer{}, store: map[uint32]map[uint32]messages.PeerKey{},
		held: map[uint32]int{}, asked: newAskings(t, s),
	}
	sim.after(tick, sim.tick)
	return sim
}

func (x *sim) after(d time.Duration, do func()) {
	x.due.seq++
	heap.Push(&x.due, event{x.s.now.Add(d), x.due.seq, do})
}

func (x *sim) tick() {
	x.s.timePassed()
	x.after(tick, x.tick)
}

func (x *sim) add(key messages.PeerKey, have *bitset.BitSet, rate float64, window int) *simPeer {
	addr := testAddr(key)
	if x.addr != nil {
		addr = x.addr(key)
	}
	sp := &simPeer{p: x.s.joinFrom(addr, key, have), rate: rate, window: window}
	x.peers[key] = sp
	x.s.peerChokedUs(sp.p, &messages.PeerChokedUs{Key: key, Window: window})
	x.flush()
	return sp
}

// flush carries out what the swarm wants to have told.
func (x *sim) flush() {
	x.t.Helper()
	x.asked.look()
	for _, p := range x.s.dirty {
		p.dirty = false
		sp := x.peers[p.Key]
		if p.gone || sp == nil {
			continue
		}
		for _, b := range p.cancel {
			for i, a := range sp.asked {
				if a == b {
					sp.asked = append(sp.asked[:i], sp.asked[i+1:]...)
					break
				}
			}
		}
		sp.asked = append(sp.asked, p.ask...)
		p.cancel, p.ask = p.cancel[:0], p.ask[:0]
		x.work(sp)
	}
	x.s.dirty = x.s.dirty[:0]
	for _, piece := range x.s.drops {
		x.after(0, func() { x.drop(piece) })
	}
	x.s.drops = x.s.drops[:0]
	x.maxHeld = max(x.maxHeld, x.s.ledger.memory)
}

// drop lets a piece go, unless it has become whole meanwhile.
func (x *sim) drop(piece uint32) {
	if x.store[piece] == nil {
		return
	}
	delete(x.store, piece)
	delete(x.held, piece)
	x.asked.judged(piece, false)
	x.s.pieceDropped(piece)
}

func (x *sim) work(sp *simPeer) {
	if sp.busy || len(sp.asked) == 0 || sp.rate == 0 || sp.p.gone {
		return
	}
	sp.busy = true
	b := sp.asked[0]
	x.after(time.Duration(float64(b.Length)/sp.rate*float64(time.Second)), func() {
		sp.busy = false
		if len(sp.asked) > 0 && sp.asked[0] == b && !sp.p.gone {
			sp.asked = sp.asked[1:]
			x.deliver(sp, b)
		}
		x.flush()
		x.work(sp)
	})
}

func (x *sim) deliver(sp *simPeer, b messages.Block) {
	x.bytes += int64(b.Length)
	x.asked.arrived(sp.p, b)
	x.s.blocksArrived(sp.p, &messages.BlocksArrived{Blocks: []messages.Block{b}, Window: sp.window, At: x.s.now})
	x.flush()
	if x.s.have.Test(uint(b.Piece)) {
		return
	}
	blocks := x.store[b.Piece]
	if blocks == nil {
		blocks = map[uint32]messages.PeerKey{}
		x.store[b.Piece] = blocks
	}
	blocks[b.Begin] = sp.p.Key
	x.held[b.Piece]++
	if len(blocks) < x.s.blocks(b.Piece) {
		x.spill()
		return
	}
	delete(x.store, b.Piece)
	delete(x.held, b.Piece)
	if x.judge != nil {
		x.judge(b.Piece, blocks)
		return
	}
	from := map[messages.PeerKey]bool{}
	for _, key := range blocks {
		from[key] = true
	}
	if x.corrupt != nil && x.corrupt(b.Piece, from) {
		m := &messages.PieceCorrupt{Piece: b.Piece}
		for key := range from {
			m.Contributors = append(m.Contributors, key)
		}
		x.asked.judged(b.Piece, false)
		x.s.pieceCorrupt(m)
		return
	}
	if len(from) == 1 {
		x.single++
	}
	x.asked.judged(b.Piece, true)
	x.s.pieceVerified(b.Piece)
}

func (x *sim) spill() {
	sum := 0
	for _, n := range x.held {
		sum += n
	}
	if sum <= x.s.limit/2 {
		return
	}
	for _, piece := range slices.Sorted(maps.Keys(x.held)) {
		x.s.blocksSpilled(&messages.BlocksSpilled{Piece: piece, Blocks: x.held[piece]})
		delete(x.held, piece)
		x.flush()
	}
}

// run goes on until all is there, and returns how long that took.
func (x *sim) run(limit time.Duration) time.Duration {
	x.t.Helper()
	for !x.s.complete() {
		e := heap.Pop(&x.due).(event)
		x.s.now = e.at
		if x.s.now.Sub(epoch) > limit {
			x.t.Fatalf("not complete after %v: %d of %d pieces, %d free blocks, memory %d: %s",
				limit, x.s.owned, x.s.pieces, x.s.ledger.free, x.s.ledger.memory, x.s.why())
		}
		e.do()
		x.flush()
	}
	return x.s.now.Sub(epoch)
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
		for _, picker := range Pickers() {
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
					t.Errorf("%.3f of the bytes came in vain", wasted)
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
	for len(s.bans) == 0 {
		e := heap.Pop(&x.due).(event)
		s.now = e.at
		e.do()
		x.flush()
		if s.now.Sub(epoch) > time.Hour {
			t.Fatal("nobody is banned")
		}
	}
	liar := x.peers[4].p
	if len(s.bans) != 1 || s.bans[0].Addr != liar.Addr || !liar.dismissed {
		t.Fatalf("banned %v, want %v alone", s.bans, liar.Addr)
	}
	s.leave(liar)
	x.run(time.Hour)
	s.proofOfBlame(&messages.ProofOfBlame{Peers: []messages.PeerKey{4}})
	if len(s.bans) != 1 {
		t.Error("a liar is banned twice")
	}
	if len(s.suspect) != 0 {
		t.Errorf("suspects are left: %v", s.suspect)
	}
}

// checkLedger compares a swarm's ledger with what follows from its blocks.
func (s *swarm) checkLedger(t interface{ Fatalf(string, ...any) }, everExempt map[*active]bool) {
	l := s.ledger
	memory, asked, free, duplicates, beyond := 0, 0, 0, 0, 0
	queued := map[*peer]map[ref]bool{}
	for _, p := range s.peers {
		queued[p] = map[ref]bool{}
		for i := range p.queue.len() {
			r := p.queue.at(i)
			if queued[p][r] {
				t.Fatalf("peer %d was asked twice for %d/%d", p.Key, r.a.piece, r.i)
			}
			queued[p][r] = true
			if !r.a.cells[r.i].askedOf(p) {
				t.Fatalf("peer %d has a request that the ledger does not know", p.Key)
			}
		}
		if p.queue.len() > p.window && !p.choked {
			t.Fatalf("peer %d has %d requests, window %d", p.Key, p.queue.len(), p.window)
		}
	}
	requests := 0
	partial := 0
	for piece, a := range l.active {
		if a.piece != piece || a.finished || a.idle() || s.have.Test(uint(piece)) || s.avail.place[piece] != closed {
			t.Fatalf("piece %d should not be active", piece)
		}
		f, r, v := 0, 0, 0
		for i := range a.cells {
			c := &a.cells[i]
			switch {
			case c.arrived && c.first == nil:
				v++
			case c.arrived:
				t.Fatalf("block %d/%d has arrived and is requested", piece, i)
			case c.first != nil:
				r++
				duplicates += c.asked() - 1
				requests += c.asked()
				for _, p := range append([]*peer{c.first}, c.others...) {
					if p.gone || !queued[p][ref{a, uint32(i)}] {
						t.Fatalf("block %d/%d is asked of a peer that does not know", piece, i)
					}
				}
			default:
				f++
				if i < a.lo || i >= a.hi {
					t.Fatalf("free block %d/%d is outside [%d,%d)", piece, i, a.lo, a.hi)
				}
			}
		}
		if f != a.free || r != a.requested || v != a.arrived {
			t.Fatalf("piece %d: free %d requested %d arrived %d, recorded %d %d %d", piece, f, r, v, a.free, a.requested, a.arrived)
		}
		if f > 0 && !a.dropping {
			partial++
		}
		memory += a.held()
		asked += a.requested
		free += f
		if everExempt[a] {
			beyond += len(a.cells)
		}
	}
	finished := 0
	seen := map[ref]bool{}
	for _, refs := range queued {
		for r := range refs {
			if r.a.finished {
				finished++
				if !seen[r] {
					seen[r] = true
					duplicates += r.a.cells[r.i].asked() - 1
				}
			}
			requests--
		}
	}
	if requests+finished != 0 {
		t.Fatalf("the peers' requests and the blocks' differ by %d", requests+finished)
	}
	if memory != l.memory || asked != l.requested || free != l.free || duplicates != l.duplicates || partial != len(l.partial) {
		t.Fatalf("memory %d requested %d free %d duplicates %d partial %d, recorded %d %d %d %d %d",
			memory, asked, free, duplicates, partial, l.memory, l.requested, l.free, l.duplicates, len(l.partial))
	}
	if memory > s.limit+beyond {
		t.Fatalf("memory %d exceeds %d and %d of exempt pieces", memory, s.limit, beyond)
	}
	for _, p := range s.peers {
		if want := int(p.have.DifferenceCardinality(s.have)); p.wanted != want {
			t.Fatalf("peer %d: wanted %d, should be %d", p.Key, p.wanted, want)
		}
	}
}

// A later bitfield takes back nothing that the peer has announced before.
func TestLaterBitfieldAddsPieces(t *testing.T) {
	const pieces = 4
	s := openSwarm(geometry{length: pieces, pieceLength: 1, pieces: pieces}, "rarest", 1)
	p := s.joinTest(1, bitset.New(pieces).Set(0))
	s.peerGot(p, []uint32{1})
	s.peerHas(p, bitset.New(pieces).Set(2).Set(3))
	if !p.seed(pieces) || p.pieces != pieces || p.wanted != pieces {
		t.Errorf("it has %v, %d pieces, %d of them wanted", p.have, p.pieces, p.wanted)
	}
	s.leave(p)
	for piece := range uint32(pieces) {
		if n := s.avail.Count(piece); n != 0 {
			t.Errorf("%d peers seem to have piece %d", n, piece)
		}
	}
}

// TestSwarmKeepsItsInvariants does to a swarm whatever peers and a store may do,
// in any order, and then lets it finish.
func TestSwarmKeepsItsInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := geometryOf(rapid.IntRange(1, 12).Draw(t, "pieces"), rapid.Int64Range(1, 6*BlockSize).Draw(t, "piece length"), 1)
		s := openSwarm(g, rapid.SampledFrom(Pickers()).Draw(t, "picker"), rapid.Uint64().Draw(t, "seed"))
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		s.setMemory(int64(limit) * BlockSize)
		rng := seeded(rapid.Uint64().Draw(t, "world"))
		asked := newAskings(t, s)
		exempt := map[*active]bool{}
		key := messages.PeerKey(0)

		anyPeer := func(t *rapid.T) *peer {
			if len(s.peers) == 0 {
				t.Skip("no peers")
			}
			return s.peers[rapid.IntRange(0, len(s.peers)-1).Draw(t, "peer")]
		}
		anyActive := func(t *rapid.T) *active {
			for piece := range uint32(g.pieces) {
				if a := s.ledger.active[piece]; a != nil && rapid.Bool().Draw(t, "this") {
					return a
				}
			}
			t.Skip("no piece")
			return nil
		}
		someOf := func(t *rapid.T, p *peer) []messages.Block {
			if p.queue.len() == 0 {
				t.Skip("nothing asked")
			}
			var bs []messages.Block
			for range rapid.IntRange(1, p.queue.len()).Draw(t, "blocks") {
				r := p.queue.at(rng.IntN(p.queue.len()))
				bs = append(bs, s.block(r.a.piece, r.i)) // perhaps one twice
			}
			return bs
		}
		t.Repeat(map[string]func(*rapid.T){
			"join": func(t *rapid.T) {
				if len(s.peers) == 6 {
					t.Skip("enough")
				}
				key++
				have := bitset.New(uint(g.pieces))
				for i := range uint(g.pieces) {
					have.SetTo(i, rng.IntN(3) > 0)
				}
				shared := netip.AddrFrom4([4]byte{192, 0, 2, byte(rng.IntN(3))})
				s.joinFrom(netip.AddrPortFrom(shared, uint16(key)), key, have)
			},
			"again": func(t *rapid.T) {
				old := anyPeer(t)
				s.joinFrom(old.Addr, old.Key, old.have.Clone())
			},
			"leave": func(t *rapid.T) { s.leave(anyPeer(t)) },
			"got": func(t *rapid.T) {
				s.peerGot(anyPeer(t), []uint32{uint32(rng.IntN(g.pieces)), uint32(rng.IntN(g.pieces))})
			},
			"choke": func(t *rapid.T) {
				s.peerChokedUs(anyPeer(t), &messages.PeerChokedUs{Choked: true})
			},
			"unchoke": func(t *rapid.T) {
				p := anyPeer(t)
				if p.choked {
					s.peerChokedUs(p, &messages.PeerChokedUs{Window: rapid.IntRange(0, 20).Draw(t, "window")})
				}
			},
			"arrive": func(t *rapid.T) {
				p := anyPeer(t)
				m := &messages.BlocksArrived{Blocks: someOf(t, p), Window: p.window}
				asked.arrived(p, m.Blocks...)
				s.blocksArrived(p, m)
			},
			"drop": func(t *rapid.T) {
				p := anyPeer(t)
				m := &messages.RequestsDropped{Blocks: someOf(t, p), Window: p.window, Snubbed: rng.IntN(2) == 0}
				asked.dropped(p, m.Blocks...)
				s.requestsDropped(p, m)
			},
			"verify": func(t *rapid.T) {
				if a := anyActive(t); a.free == 0 {
					asked.judged(a.piece, true)
					s.pieceVerified(a.piece)
				}
			},
			"corrupt": func(t *rapid.T) {
				if a := anyActive(t); a.free == 0 {
					m := &messages.PieceCorrupt{Piece: a.piece}
					for range rapid.IntRange(1, 2).Draw(t, "contributors") {
						m.Contributors = append(m.Contributors, messages.PeerKey(rng.IntN(int(key)+1)))
					}
					asked.judged(a.piece, false)
					s.pieceCorrupt(m)
				}
			},
			"proof": func(t *rapid.T) {
				s.proofOfBlame(&messages.ProofOfBlame{Piece: uint32(rng.IntN(g.pieces)), Peers: []messages.PeerKey{messages.PeerKey(rng.IntN(int(key) + 1))}})
			},
			"the banned leave": func(*rapid.T) {
				for i := len(s.peers) - 1; i >= 0; i-- {
					if s.peers[i].dismissed {
						s.leave(s.peers[i])
						break
					}
				}
			},
			"spill": func(t *rapid.T) {
				a := anyActive(t)
				s.blocksSpilled(&messages.BlocksSpilled{Piece: a.piece, Blocks: max(0, a.arrived-a.spilled)})
			},
			"disk fails": func(t *rapid.T) {
				m := &messages.StoreFailed{Full: true}
				if a := anyActive(t); len(a.cells) > 0 {
					for i := range a.cells {
						if c := &a.cells[i]; c.arrived || c.asked() > 0 && rng.IntN(3) == 0 {
							m.Lost = append(m.Lost, s.block(a.piece, uint32(i)))
						}
					}
				}
				asked.lost(m.Lost...)
				s.storeFailed(m)
			},
			"disk recovers": func(*rapid.T) { s.storeRecovered() },
			"time passes": func(t *rapid.T) {
				s.now = s.now.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "ms")) * time.Millisecond)
				s.timePassed()
			},
			"store lets go": func(t *rapid.T) { s.letGo(asked) },
			"": func(t *rapid.T) {
				asked.look()
				s.drain()
				if s.exempt != nil {
					exempt[s.exempt] = true
				}
				s.checkLedger(t, exempt)
			},
		})

		for len(s.peers) > 0 {
			s.leave(s.peers[0])
		}
		for piece := range uint32(g.pieces) {
			if a := s.ledger.active[piece]; a != nil && a.requested+a.free == 0 {
				asked.judged(piece, true)
				s.pieceVerified(piece)
			}
		}
		s.storeRecovered()
		finishWithOneSeed(t, s, rng, asked)
		if l := s.ledger; l.memory != 0 || l.free != 0 || l.duplicates != 0 || len(l.active) != 0 || len(l.partial) != 0 {
			t.Fatalf("something is left in the ledger: %+v", l)
		}
	})
}

// drain takes for told what the swarm has to say.
func (s *swarm) drain() {
	for _, p := range s.dirty {
		p.dirty, p.ask, p.cancel = false, p.ask[:0], p.cancel[:0]
	}
	s.dirty = s.dirty[:0]
}

// letGo does what the store does when it is told to drop pieces, and those are not
// whole.
func (s *swarm) letGo(asked *askings) {
	drops := s.drops
	s.drops = nil
	for _, piece := range drops {
		if a := s.ledger.active[piece]; a != nil && a.dropping {
			asked.judged(piece, false)
			s.pieceDropped(piece)
		}
	}
}

// finishWithOneSeed lets a seed, that may be on parole, bring what is missing, and
// a store verify it.
func finishWithOneSeed(t *rapid.T, s *swarm, rng *rand.Rand, asked *askings) {
	told := func() {
		for {
			asked.look()
			s.drain()
			if len(s.drops) == 0 {
				return
			}
			s.letGo(asked)
		}
	}
	p := s.joinFrom(netip.MustParseAddrPort("192.0.2.0:1000"), 1000, full(s.pieces))
	s.peerChokedUs(p, &messages.PeerChokedUs{Window: 1 + rng.IntN(10)})
	for told(); !s.complete(); told() {
		if p.queue.len() == 0 {
			s.now = s.now.Add(paroleMost)
			s.timePassed()
			told()
		}
		if p.queue.len() == 0 {
			t.Fatalf("the seed is not asked for what is missing: memory %d of %d, free %d, %d active",
				s.ledger.memory, s.limit, s.ledger.free, len(s.ledger.active))
		}
		r := p.queue.at(0)
		b := s.block(r.a.piece, r.i)
		asked.arrived(p, b)
		s.blocksArrived(p, &messages.BlocksArrived{Blocks: []messages.Block{b}, Window: p.window})
		told()
		if r.a.arrived == len(r.a.cells) {
			asked.judged(r.a.piece, true)
			s.pieceVerified(r.a.piece)
		}
	}
}

// In a crowd, what is wanted of those that choke us is counted when they have
// their turn, and all of it before it is used.
func TestInterestInACrowd(t *testing.T) {
	s := openSwarm(geometryOf(4, BlockSize, BlockSize), "", 1)
	for i := range newsCrowd + 1 {
		s.joinTest(messages.PeerKey(i), bitset.New(4).Set(0).Set(1))
	}
	p := s.peers[0]
	s.pieceVerified(0)
	s.choke(p, false)
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
		s.now = s.now.Add(newsWait)
		s.spread(func(*peer, *messages.AnnounceHave) {})
	}
	for _, p := range s.peers {
		if p.wanted != 0 || !p.dirty {
			t.Fatalf("all is there and told, and of peer %d %d pieces are wanted", p.Key, p.wanted)
		}
	}
}
