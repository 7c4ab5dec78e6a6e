package scheduler

import "kouzui/messages"

// askings is what an observer of all connections knows of each block: which
// peers are to bring it, and whether it has arrived. The observer does not use
// the ledger, and fails the test when a block is asked for that should not be:
//
//   - never if its piece is not wanted, or is there;
//   - never again once it has arrived, unless its piece failed its hash or was
//     dropped;
//   - never of the same peer while that owes it;
//   - of a second peer only in the endgame of that peer: nothing else that it
//     has is left to ask for, or there is no memory for it;
//   - once it has arrived, all others that were asked are told to cancel.
type askings struct {
	t      tester
	s      *swarm
	blocks map[messages.Block]*asking
	owed   map[*peer]map[messages.Block]bool
	came   []messages.Block // since the last look
	// stale are requests for blocks of pieces that have been judged since.
	stale map[*peer]map[messages.Block]int
}

type asking struct {
	of   map[*peer]bool
	here bool
	// reclaimed of those asked were silent, and have just been told to cancel.
	reclaimed int
}

func newAskings(t tester, s *swarm) *askings {
	return &askings{
		t: t, s: s, blocks: map[messages.Block]*asking{},
		owed: map[*peer]map[messages.Block]bool{}, stale: map[*peer]map[messages.Block]int{},
	}
}

func (x *askings) at(b messages.Block) *asking {
	k := x.blocks[b]
	if k == nil {
		k = &asking{of: map[*peer]bool{}}
		x.blocks[b] = k
	}
	return k
}

// look takes in the requests and cancels that the swarm wants sent. It is
// called after each message that the swarm was given.
func (x *askings) look() {
	x.t.Helper()
	for p, owed := range x.owed {
		if p.gone || p.choked && !p.answers {
			for b := range owed {
				x.settled(p, b)
			}
			delete(x.owed, p)
		}
	}
	for p := range x.stale {
		if p.gone || p.choked && !p.answers {
			delete(x.stale, p)
		}
	}
	var reclaimed []*asking
	for _, p := range x.s.peers {
		for _, b := range p.cancel {
			if x.settled(p, b); p.silent(x.s.now) {
				x.at(b).reclaimed++
				reclaimed = append(reclaimed, x.at(b))
			}
		}
	}
	// A block may be asked of one peer, and then of another in its endgame, at
	// once. So peers in their endgame come last.
	for _, last := range []bool{false, true} {
		for _, p := range x.s.peers {
			if _, more := x.unasked(p); p.dismissed || more == last {
				continue // a dismissed peer is told nothing more
			}
			for _, b := range p.ask {
				x.asked(p, b)
			}
		}
	}
	for _, k := range reclaimed {
		k.reclaimed = 0
	}
	for _, b := range x.came {
		for p := range x.at(b).of {
			if x.at(b).here && !p.dismissed {
				x.t.Fatalf("%v has come, and peer %d is left to bring it", b, p.Key)
			}
		}
	}
	x.came = x.came[:0]
}

// settled records that p does not owe the block any more.
func (x *askings) settled(p *peer, b messages.Block) {
	delete(x.at(b).of, p)
	delete(x.owed[p], b)
}

func (x *askings) asked(p *peer, b messages.Block) {
	x.t.Helper()
	k := x.at(b)
	switch {
	case !x.s.lacks(b.Piece):
		x.t.Fatalf("peer %d is asked for %v, which is not wanted, or is there", p.Key, b)
	case k.here:
		x.t.Fatalf("peer %d is asked for %v, which has come", p.Key, b)
	case k.of[p]:
		x.t.Fatalf("peer %d is asked for %v, which it owes", p.Key, b)
	case len(k.of) >= usualRules.Askers && 2*(x.silent(k)+k.reclaimed) < len(k.of):
		x.t.Fatalf("peer %d is asked for %v, as %d others are that are not silent", p.Key, b, len(k.of))
	case len(k.of) > 0:
		x.endgame(p, b)
	}
	k.of[p] = true
	if x.owed[p] == nil {
		x.owed[p] = map[messages.Block]bool{}
	}
	x.owed[p][b] = true
}

// silent is how many of the peers asked for a block are silent.
func (x *askings) silent(k *asking) (n int) {
	for p := range k.of {
		if p.silent(x.s.now) {
			n++
		}
	}
	return n
}

// endgame fails if p could have been asked for a block of which no peer is.
func (x *askings) endgame(p *peer, b messages.Block) {
	x.t.Helper()
	if piece, more := x.unasked(p); more {
		x.t.Fatalf("peer %d is asked for %v, as others are, while nobody is asked for a part of piece %d", p.Key, b, piece)
	}
}

// unasked returns a piece of which p could be asked for a block that nobody is
// asked for, and whether there is one.
func (x *askings) unasked(p *peer) (piece uint32, more bool) {
	s := x.s
	if s.planner.ledger.memory >= s.planner.budget.limit || len(s.orders.drops) > 0 {
		return 0, false // there is no memory, or was none before pieces were dropped just now
	}
	for piece := range uint32(s.pieces) {
		if !p.has(piece) || !s.lacks(piece) {
			continue
		}
		a := s.planner.ledger.active[piece]
		if a == nil || a.free > 0 && !a.dropping && !s.planner.reserved(a) {
			return piece, true
		}
	}
	return 0, false
}

// arrived records blocks that p is about to bring.
func (x *askings) arrived(p *peer, blocks ...messages.Block) {
	for _, b := range blocks {
		k := x.at(b)
		if x.late(p, b) || !k.of[p] {
			continue
		}
		x.settled(p, b)
		k.here = true
		x.came = append(x.came, b)
	}
}

// dropped records blocks of which p is about to say that it will not bring
// them.
func (x *askings) dropped(p *peer, blocks ...messages.Block) {
	for _, b := range blocks {
		if k := x.at(b); !x.late(p, b) && k.of[p] {
			x.settled(p, b)
		}
	}
}

// late says that an answer of p is to a request from before the piece was
// judged.
func (x *askings) late(p *peer, b messages.Block) bool {
	if x.stale[p][b] == 0 {
		return false
	}
	x.stale[p][b]--
	return true
}

// judged records that the store is about to say whether a piece is right.
func (x *askings) judged(piece uint32, right bool) {
	for i := range uint32(x.s.blocks(piece)) {
		b := x.s.block(piece, i)
		k := x.at(b)
		for p := range k.of {
			if x.stale[p] == nil {
				x.stale[p] = map[messages.Block]int{}
			}
			x.stale[p][b]++
			x.settled(p, b)
		}
		k.here = right
	}
}
