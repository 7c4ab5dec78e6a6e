package scheduler

import "slices"

const (
	// maxOwnWindows is the greatest size, in request windows of a peer, of a piece
	// that is left to that peer alone: a larger one would take the peer too long.
	maxOwnWindows = 4
	// maxAlone bounds for how long a piece that was corrupt is left to one peer: a
	// peer that needs more seconds for the whole piece does not keep it.
	maxAlone = 30.0
)

// end is the end of a piece's free blocks from which a peer takes some.
type end bool

const (
	front end = false
	back  end = true
)

// choose returns the piece that p is asked for next, nil if there is none. The
// first of these rules that finds a piece decides.
func (s *planner) choose(p *peer) (*active, end) {
	// A peer that chokes us takes requests for a few pieces only.
	if p.choked {
		return s.chooseAllowed(p), front
	}
	// Memory is used up: only the exempt piece goes on, and waits while the store
	// is about to free some.
	if s.budget.reached() {
		if s.budget.storeFrees() {
			return nil, front
		}
		return s.chooseExempt(p), front
	}
	// A peer on parole has to prove itself first.
	if p.parole != nil {
		return s.chooseTrial(p), front
	}
	// A piece that somebody waits for.
	if a := s.chooseAwaited(p); a != nil {
		return a, front
	}
	// Of the large pieces that p brings abreast, the next.
	if a := s.chooseAbreast(p); a != nil {
		return a, front
	}
	// The piece that was begun with p.
	if a := s.continued(p); a != nil {
		return a, front
	}
	c := s.candidates(p)
	if p.own = c.own; c.own != nil {
		return c.own, front
	}
	// A piece that any peer may go on with.
	if c.shared != nil {
		return c.shared, front
	}
	// A new piece, if all of it fits beside what is begun.
	if s.budget.fits(s.blocks(0)) {
		if a := s.begin(p); a != nil {
			return a, front
		}
	}
	// A part of what another peer is busy with, from the other end.
	if c.busy != nil && !s.claim(p, c.busy) {
		return c.busy, back
	}
	// A piece that fits only for now. Whatever is reserved for a slow peer comes
	// again, from p.
	if c.reserved != nil {
		s.claim(p, c.reserved)
	}
	return s.begin(p), front
}

// continued is the piece that was begun with p last, if it has free blocks and
// is still left to p.
func (s *planner) continued(p *peer) *active {
	if a := p.own; a != nil && !a.finished && a.free > 0 && a.leftTo() == p {
		return a
	}
	return nil
}

// candidates are pieces with free blocks that a peer has, each by the reason
// for which the peer may be asked for it; nil: there is none.
type candidates struct {
	own      *active // was begun with the peer
	shared   *active // any peer's: the one with the fewest free blocks, to finish it
	busy     *active // another peer's: the one with the most free blocks
	reserved *active // to come from another peer alone
}

func (s *planner) candidates(p *peer) (c candidates) {
	fast := s.fast(p)
	for _, a := range slices.Backward(s.ledger.partial) { // claim takes the current one out
		if !p.has(a.piece) {
			continue
		}
		switch owner := a.leftTo(); {
		case owner == nil && s.claim(p, a):
		case owner == p:
			c.own = a
			return c
		case owner == nil && (!fast || a.requested == 0):
			c.shared = fewestFree(c.shared, a)
		case s.reserved(a):
			c.reserved = a
		default:
			c.busy = mostFree(c.busy, a)
		}
	}
	return c
}

// fewestFree and mostFree compare the best so far, which may be nil, with a.
func fewestFree(best, a *active) *active {
	if best == nil || a.free < best.free {
		return a
	}
	return best
}

func mostFree(best, a *active) *active {
	if best == nil || a.free > best.free {
		return a
	}
	return best
}

// fast says whether p gets pieces for itself: so the blame for a corrupt one is
// clear, and the store has few pieces open. Slower peers share.
func (s *planner) fast(p *peer) bool {
	return !p.snubbed && (s.blocks(0) <= maxOwnWindows*p.window || s.abreastOf(p) > 1)
}

// begin begins a new piece with p, nil if p has none.
func (s *planner) begin(p *peer) *active {
	piece, ok := s.pick(p)
	if !ok {
		return nil
	}
	return s.beginPiece(p, piece)
}

func (s *planner) beginPiece(p *peer, piece uint32) *active {
	s.avail.Close(piece)
	padding := s.padding[piece]
	if s.blame.suspects[piece] {
		padding = nil // it may not be zeros
	}
	a := s.ledger.begin(piece, padding)
	a.undivided = s.blame.suspects[piece] || p.parole != nil
	if a.undivided || s.fast(p) && !p.choked {
		a.owner, p.own = p, a
	}
	return a
}

// chooseAllowed returns the piece that a peer that chokes us is asked for, of
// those that it allows all the same (BEP 6). Such a peer keeps no piece for
// itself: what it allows is meant for a beginning.
func (s *planner) chooseAllowed(p *peer) *active {
	if p.parole != nil || s.budget.reached() {
		return nil
	}
	for _, piece := range p.allowed {
		if !p.has(piece) || !s.lacks(piece) || s.blame.suspects[piece] {
			continue
		}
		a := s.ledger.active[piece]
		switch {
		case a == nil && s.budget.fits(s.blocks(piece)):
			return s.beginPiece(p, piece)
		case a != nil && a.free > 0 && !a.dropping && !a.undivided && a.leftTo() == nil:
			return a
		}
	}
	return nil
}

// reserved says that a piece is to come from the peer alone that it is left to.
func (s *planner) reserved(a *active) bool {
	owner := a.leftTo()
	return a.undivided && owner != nil && owner.eta(a.needed, s.now) < maxAlone
}

// claim has a piece that must come from one peer alone come again, if p would
// else bring the rest of what another peer has left or is slow to bring: a peer
// that sends one bad block and goes would spoil the piece each time, with no
// proof of who did.
func (s *planner) claim(p *peer, a *active) bool {
	if !a.undivided || a.arrived == 0 || a.source == nil || a.source == p {
		return false
	}
	if o := a.leftTo(); o != nil && !s.muchLonger(o, o.eta(a.needed, s.now), p.eta(a.needed, s.now)) {
		return false
	}
	s.drop(a)
	return true
}

// chooseExempt returns the piece that goes on although memory is used up, if p
// has it. Another one takes its place only when it stands still and p would.
func (s *planner) chooseExempt(p *peer) *active {
	e := s.budget.exempt
	switch {
	case e == nil:
	case e.free > 0 && p.has(e.piece):
		return e
	case e.free == 0, e.requested > 0, p.queue.len() > 0:
		return nil
	}
	next := s.nearestDone(p)
	if next == nil {
		next = s.begin(p)
	}
	if next != nil {
		s.budget.exempt = next
	}
	return next
}

// nearestDone is of the pieces that p has the one with the fewest free blocks.
func (s *planner) nearestDone(p *peer) (best *active) {
	for _, a := range slices.Backward(s.ledger.partial) { // claim takes the current one out
		if p.has(a.piece) && (a.leftTo() != nil || !s.claim(p, a)) {
			best = fewestFree(best, a)
		}
	}
	return best
}

// chooseTrial returns the piece that p on parole is asked for to prove itself,
// if it is its turn.
func (s *planner) chooseTrial(p *peer) *active {
	if a := p.own; a != nil && !a.finished && !a.dropping && p.has(a.piece) {
		if a.free > 0 {
			return a
		}
		return nil // the rest is yet to come, or to be judged
	}
	if !s.blame.mayTry(p) {
		return nil
	}
	a := s.begin(p)
	if a == nil {
		a = s.abandoned(p)
	}
	if a != nil {
		p.own, a.owner = a, p
	}
	return a
}

// abandoned is a begun piece that p has and of which nothing is requested.
func (s *planner) abandoned(p *peer) *active {
	for _, a := range slices.Backward(s.ledger.partial) { // claim takes the current one out
		if a.requested == 0 && p.has(a.piece) && !s.claim(p, a) {
			return a
		}
	}
	return nil
}
