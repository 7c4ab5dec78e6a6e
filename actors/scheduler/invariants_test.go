package scheduler

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/bits-and-blooms/bitset"
	"pgregory.net/rapid"

	"kouzui/messages"
)

// checkLedger compares a swarm's ledger with what follows from its blocks.
func (s *swarm) checkLedger(t interface{ Fatalf(string, ...any) }, everExempt map[*active]bool) {
	l := s.planner.ledger
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
	for _, p := range s.peers {
		mayBring := !p.choked || len(p.allowed) > 0 || p.answers && p.queue.len() > 0
		if p.serves != slices.Contains(s.serving, p) || mayBring && !p.serves {
			t.Fatalf("peer %d: may bring something %v, serves %v, listed %v", p.Key, mayBring, p.serves, slices.Contains(s.serving, p))
		}
		if p.choked && !p.answers && p.queue.len() > 0 && len(p.allowed) == 0 {
			t.Fatalf("peer %d chokes us, and %d blocks are asked of it", p.Key, p.queue.len())
		}
	}
	requests := 0
	partial := 0
	for piece, a := range l.active {
		if a.piece != piece || a.finished || a.idle() && !a.dropping || s.have.Test(uint(piece)) || s.planner.avail.place[piece] != closed {
			t.Fatalf("piece %d should not be active", piece)
		}
		f, r, v := 0, 0, 0
		for i := range a.cells {
			c := &a.cells[i]
			switch {
			case c.padding && (c.arrived || c.first != nil):
				t.Fatalf("block %d/%d is padding, and is asked for", piece, i)
			case c.padding:
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
		if f+r+v != a.needed || f != a.free || r != a.requested || v != a.arrived {
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
	if memory > s.planner.budget.limit+beyond {
		t.Fatalf("memory %d exceeds %d and %d of exempt pieces", memory, s.planner.budget.limit, beyond)
	}
	for _, p := range s.peers {
		want := 0
		for piece := range uint32(s.pieces) {
			if p.has(piece) && s.wants(piece) && !s.has(piece) {
				want++
			}
		}
		if p.wanted != want {
			t.Fatalf("peer %d: wanted %d, should be %d", p.Key, p.wanted, want)
		}
	}
	for piece := range uint32(s.pieces) {
		open := s.planner.avail.place[piece] != closed
		if want := s.wants(piece) && !s.has(piece) && l.active[piece] == nil; open != want {
			t.Fatalf("piece %d can be begun: %v, should be %v", piece, open, want)
		}
	}
}

// wants says whether the user wants a piece.
func (g *goal) wants(piece uint32) bool { return g.wanted == nil || g.wanted.Test(uint(piece)) }

// TestSwarmKeepsItsInvariants gives a swarm any messages that peers, a store
// and a user may send, in any order, and then has it finish.
func TestSwarmKeepsItsInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := geometryOf(rapid.IntRange(1, 12).Draw(t, "pieces"), rapid.Int64Range(1, 6*BlockSize).Draw(t, "piece length"), 1)
		g.padding = drawPadding(t, g)
		s := openSwarm(g, rapid.SampledFrom(Pickers.Names()).Draw(t, "picker"), rapid.Uint64().Draw(t, "seed"))
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		s.setMemory(int64(limit) * BlockSize)
		s.planner.abreast.setPlan(drawPlan(t))
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
				if a := s.planner.ledger.active[piece]; a != nil && rapid.Bool().Draw(t, "this") {
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
				s.peerHave(anyPeer(t), []uint32{uint32(rng.IntN(g.pieces)), uint32(rng.IntN(g.pieces))})
			},
			"lose": func(t *rapid.T) {
				s.peerDontHave(anyPeer(t), []uint32{uint32(rng.IntN(g.pieces)), uint32(rng.IntN(g.pieces))})
			},
			"choke": func(t *rapid.T) {
				s.peerChoking(anyPeer(t), &messages.PeerChoking{Choking: true})
			},
			"choke, and answer": func(t *rapid.T) {
				s.peerChoking(anyPeer(t), &messages.PeerChoking{Choking: true, Answers: true, Window: rapid.IntRange(0, 20).Draw(t, "window")})
			},
			"allow": func(t *rapid.T) {
				p := anyPeer(t)
				owed := p.queue.len()
				s.peerAllowed(p, &messages.PeerAllowed{Pieces: []uint32{uint32(rng.IntN(g.pieces))}, Window: rapid.IntRange(owed, 20+owed).Draw(t, "window")})
			},
			"unchoke": func(t *rapid.T) {
				p := anyPeer(t)
				if p.choked {
					owed := p.queue.len() // from before it choked us
					s.peerChoking(p, &messages.PeerChoking{Answers: p.answers, Window: rapid.IntRange(owed, 20+owed).Draw(t, "window")})
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
				s.blame.proven(&messages.BlameProven{Piece: uint32(rng.IntN(g.pieces)), Peers: []messages.PeerKey{messages.PeerKey(rng.IntN(int(key) + 1))}})
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
			"disk fails": func(*rapid.T) {
				s.storeFailed(&messages.StoreFailed{Full: true})
			},
			"disk recovers": func(*rapid.T) { s.storeRecovered() },
			"time passes": func(t *rapid.T) {
				s.now = s.now.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "ms")) * time.Millisecond)
				s.planner.timePassed()
			},
			"want": func(t *rapid.T) {
				pieces := bitset.New(uint(g.pieces))
				for i := range pieces.Len() {
					pieces.SetTo(i, rng.IntN(3) > 0)
				}
				s.setWanted(&messages.SetWanted{Pieces: pieces})
			},
			"want all":      func(*rapid.T) { s.setWanted(&messages.SetWanted{}) },
			"store lets go": func(t *rapid.T) { s.letGo(asked) },
			"": func(t *rapid.T) {
				asked.look()
				s.drain()
				if s.planner.budget.exempt != nil {
					exempt[s.planner.budget.exempt] = true
				}
				s.checkLedger(t, exempt)
			},
		})

		for len(s.peers) > 0 {
			s.leave(s.peers[0])
		}
		if rng.IntN(2) == 0 {
			s.setWanted(&messages.SetWanted{})
		}
		for piece := range uint32(g.pieces) {
			if a := s.planner.ledger.active[piece]; a != nil && a.requested+a.free == 0 {
				asked.judged(piece, true)
				s.pieceVerified(piece)
			}
		}
		s.storeRecovered()
		finishWithOneSeed(t, s, rng, asked)
		if l := s.planner.ledger; l.memory != 0 || l.free != 0 || l.duplicates != 0 || len(l.active) != 0 || len(l.partial) != 0 {
			t.Fatalf("something is left in the ledger: %+v", l)
		}
	})
}

// drain drops what peers were to be told.
func (s *swarm) drain() {
	for _, p := range s.orders.peers {
		p.touched, p.ask, p.cancel = false, p.ask[:0], p.cancel[:0]
	}
	s.orders.peers = s.orders.peers[:0]
}

// letGo drops the pieces that the store was to drop, as if none were whole.
func (s *swarm) letGo(asked *askings) {
	drops := s.orders.drops
	s.orders.drops = nil
	for _, piece := range drops {
		if a := s.planner.ledger.active[piece]; a != nil && a.dropping {
			asked.judged(piece, false)
			s.pieceDropped(piece)
		}
	}
}

// finishWithOneSeed has a seed, which may be on parole, bring what is missing,
// and each piece verified.
func finishWithOneSeed(t *rapid.T, s *swarm, rng *rand.Rand, asked *askings) {
	told := func() {
		for {
			asked.look()
			s.drain()
			if len(s.orders.drops) == 0 {
				return
			}
			s.letGo(asked)
		}
	}
	p := s.joinFrom(netip.MustParseAddrPort("192.0.2.0:1000"), 1000, full(s.pieces))
	s.peerChoking(p, &messages.PeerChoking{Window: 1 + rng.IntN(10)})
	for told(); !s.complete(); told() {
		if p.queue.len() == 0 {
			s.now = s.now.Add(maxPause)
			s.planner.timePassed()
			told()
		}
		if p.queue.len() == 0 {
			t.Fatalf("the seed is not asked for what is missing: memory %d of %d, free %d, %d active",
				s.planner.ledger.memory, s.planner.budget.limit, s.planner.ledger.free, len(s.planner.ledger.active))
		}
		r := p.queue.at(0)
		b := s.block(r.a.piece, r.i)
		asked.arrived(p, b)
		s.blocksArrived(p, &messages.BlocksArrived{Blocks: []messages.Block{b}, Window: p.window})
		told()
		if r.a.arrived == r.a.needed {
			asked.judged(r.a.piece, true)
			s.pieceVerified(r.a.piece)
		}
	}
}
