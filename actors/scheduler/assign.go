package scheduler

import "slices"

// Who is asked for what.
//
// Memory is reserved by whole pieces: a piece is begun only when all that is
// begun could arrive within the limit, so that begun pieces can always be
// finished. Only a peer that has no part of what is begun may begin one beyond
// that, as far as there is memory at the moment. Should such pieces then fill
// it and come to a stand, one piece at a time, the exempt one, goes on beyond
// the limit, and the store spills. It waits while most of the memory holds what
// has arrived: then the store has something to write, or to spill, and will tell.

const (
	// begunFast is how many windows a piece may have for a peer that gets it
	// whole.
	begunFast = 4
	// advanceShare is the part of the memory for peers that have brought nothing.
	advanceShare = 4
	advanceLeast = 16 // blocks
	// alonePatience is how long a piece that was corrupt is left to one peer,
	// in seconds.
	alonePatience = 30.0
)

// refill gives p requests, if it has room for them.
func (s *swarm) refill(p *peer) {
	if !s.ready || s.failure != nil || p.choked || p.dismissed || p.gone || p.wanted == 0 {
		return
	}
	n := p.room()
	if !p.brought {
		n = min(n, s.advance(p))
	}
	if s.stuck {
		n = min(n, advanceLeast)
	}
	if n == 0 {
		return
	}
	if p.queue.len() == 0 {
		p.speed.begins(s.now)
	}
	given := s.assign(p, n)
	if given < n && p.parole == nil && !p.fell {
		given += s.takeOver(p, n-given)
	}
	if given < n {
		s.starved = true
	}
	if given > 0 {
		s.touch(p)
	}
}

// advance is how much p is asked for before it has brought anything: all that
// have not share a part of the memory, and each has a block, so that silent ones
// cannot take the others' room.
func (s *swarm) advance(p *peer) int {
	left := max(s.limit/advanceShare, advanceLeast)
	for _, q := range s.open {
		if !q.brought {
			left -= q.queue.len()
		}
	}
	if p.queue.len() == 0 {
		return max(1, left)
	}
	return max(0, left)
}

// timePassed does what time alone calls for. That nothing is under way although
// memory is used up should not last: a store may count short blocks for less.
func (s *swarm) timePassed() {
	s.stuck = s.ledger.requested == 0 && s.ledger.memory >= s.limit
	s.refillStarved()
	s.stuck = false
}

// refillStarved refills whoever has room, the snubbed last, beginning with
// anybody so that nobody is always first.
func (s *swarm) refillStarved() {
	if !s.starved {
		return
	}
	s.starved, s.blocked = false, false
	if len(s.open) == 0 {
		return
	}
	first := s.rng.IntN(len(s.open))
	for _, snubbed := range []bool{false, true} {
		for i := range s.open {
			if p := s.open[(first+i)%len(s.open)]; p.snubbed == snubbed {
				s.refill(p)
			}
		}
	}
}

// refillBlocked is refillStarved for when memory is all that has come free.
func (s *swarm) refillBlocked() {
	if s.blocked {
		s.refillStarved()
	}
}

// assign gives p up to n blocks of which nobody was asked.
func (s *swarm) assign(p *peer, n int) int {
	given := 0
	for given < n {
		a, tail := s.choose(p)
		if a == nil {
			break
		}
		room := n - given
		if a != s.exempt || s.crammed() {
			room = min(room, s.limit-s.ledger.memory)
		}
		given += s.ledger.take(p, a, room, tail)
	}
	return given
}

// choose returns a piece with free blocks for p, and whether p takes them from
// the tail: first what was begun with it; then pieces that are anybody's; then
// a new one; then a part of what another peer is busy with.
func (s *swarm) choose(p *peer) (a *active, tail bool) {
	if s.ledger.memory >= s.limit {
		s.blocked = true
		if s.crammed() {
			return nil, false
		}
		return s.chooseExempt(p), false
	}
	if p.parole != nil {
		return s.onParole(p), false
	}
	if a := p.own; a != nil {
		if !a.finished && a.free > 0 && a.keeper() == p {
			return a, false
		}
		p.own = nil
	}
	fast := s.fast(p)
	var shared, other, alone *active
	for _, a := range slices.Backward(s.ledger.partial) { // claim takes the current one out
		if !p.have.Test(uint(a.piece)) {
			continue
		}
		switch keeper := a.keeper(); {
		case keeper == nil && s.claim(p, a):
		case keeper == p:
			p.own = a
			return a, false
		case keeper == nil && (!fast || a.requested == 0):
			if shared == nil || a.free < shared.free {
				shared = a
			}
		case s.reserved(a):
			alone = a
		case other == nil || a.free > other.free:
			other = a
		}
	}
	if shared != nil {
		return shared, false
	}
	if s.fits() {
		if a := s.begin(p); a != nil {
			return a, false
		}
	}
	if other != nil && !s.claim(p, other) {
		return other, true
	}
	if alone != nil {
		s.claim(p, alone)
	}
	return s.begin(p), false
}

// reserved says that a piece is to come from its keeper alone.
func (s *swarm) reserved(a *active) bool {
	keeper := a.keeper()
	return a.alone && keeper != nil && keeper.eta(len(a.cells), s.now) < alonePatience
}

// claim has a piece that must come from one peer alone come again, if p would
// else bring the rest of what another has left or is slow to bring: somebody who
// sends one bad block and goes would spoil it each time, with no proof of who it
// was.
func (s *swarm) claim(p *peer, a *active) bool {
	if !a.alone || a.arrived == 0 || a.sole == nil || a.sole == p {
		return false
	}
	if k := a.keeper(); k != nil && !longer(k.eta(len(a.cells), s.now), p.eta(len(a.cells), s.now)) {
		return false
	}
	a.dropping, a.owner = true, nil
	if s.exempt == a {
		s.exempt = nil
	}
	s.ledger.withdraw(a, s.cancel)
	s.drops = append(s.drops, a.piece)
	return true
}

// pieceDropped: nothing of the piece is left.
func (s *swarm) pieceDropped(piece uint32) {
	if a := s.ledger.active[piece]; a != nil && a.dropping {
		s.restart(piece)
	}
}

// fast says whether p gets pieces for itself: so the blame for a corrupt one is
// clear, and the store has few pieces open. Slower ones share.
func (s *swarm) fast(p *peer) bool {
	return !p.snubbed && s.blocks(0) <= begunFast*p.window
}

// fits says whether one more piece could arrive within the limit.
func (s *swarm) fits() bool {
	l := s.ledger
	if len(l.active) == 0 || l.memory+l.free+s.blocks(0) <= s.limit {
		return true
	}
	s.blocked = true
	return false
}

// begin begins a new piece with p.
func (s *swarm) begin(p *peer) *active {
	piece, ok := s.picker.Pick(s.avail, Offer{Have: p.have, Came: p.came, Wanted: p.wanted, Owned: s.owned})
	if !ok {
		return nil
	}
	s.avail.Close(piece)
	a := s.ledger.begin(piece)
	a.alone = s.suspect[piece] || p.parole != nil
	if a.alone || s.fast(p) {
		a.owner, p.own = p, a
	}
	return a
}

// crammed says whether the memory is so full of what has arrived that the store,
// which spills when half of it lies in unfinished pieces, is at work for certain.
func (s *swarm) crammed() bool {
	arrived := s.ledger.memory - s.ledger.requested
	return !s.stuck && arrived > s.limit*3/4
}

// chooseExempt returns the piece that goes on although memory is used up, if p
// has it. Another one takes its place only when it stands still and p would.
func (s *swarm) chooseExempt(p *peer) *active {
	if e := s.exempt; e != nil {
		if e.free > 0 && p.have.Test(uint(e.piece)) {
			return e
		}
		if e.free == 0 || e.requested > 0 || p.queue.len() > 0 {
			return nil
		}
	}
	var best *active
	for _, a := range slices.Backward(s.ledger.partial) {
		if !p.have.Test(uint(a.piece)) || a.keeper() == nil && s.claim(p, a) {
			continue
		}
		if best == nil || a.free < best.free {
			best = a
		}
	}
	if best == nil {
		best = s.begin(p)
	}
	if best != nil {
		s.exempt = best
	}
	return best
}
