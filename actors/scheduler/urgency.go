package scheduler

import (
	"slices"

	"github.com/bits-and-blooms/bitset"
)

// urgency is which pieces are to be begun before others. Within a class, the
// picker chooses.
type urgency struct {
	high, low *bitset.BitSet // pieces to be begun first, and last; nil: none
	scratch   *bitset.BitSet // pieces of a class that a peer has
	awaited   []uint32       // pieces that somebody waits for, the first one first
}

// rescued is how many of the pieces that somebody waits for are asked of a
// second peer if the first one is slow to bring them: those that are needed
// soonest.
const rescued = 2

// setClasses says which pieces are begun first, and which last.
func (u *urgency) setClasses(high, low *bitset.BitSet) { u.high, u.low = high, low }

// pick returns the piece that p begins.
func (s *planner) pick(p *peer) (uint32, bool) {
	of := Offer{Have: p.have, Came: p.cameSeed, Wanted: p.wanted, Owned: s.owned, Share: s.share}
	if high := s.urgency.high; high != nil {
		if piece, ok := s.pickOf(p, of, func(open *bitset.BitSet) { open.InPlaceIntersection(high) }); ok {
			return piece, true
		}
	}
	if low := s.urgency.low; low != nil {
		if piece, ok := s.pickOf(p, of, func(open *bitset.BitSet) { open.InPlaceDifference(low) }); ok {
			return piece, true
		}
	}
	return s.pickAs(p, of)
}

// pickOf is pick among those pieces that restrict leaves of the open ones that
// the peer has.
func (s *planner) pickOf(p *peer, of Offer, restrict func(open *bitset.BitSet)) (uint32, bool) {
	if s.urgency.scratch == nil {
		s.urgency.scratch = bitset.New(uint(s.pieces))
	}
	some := s.urgency.scratch
	s.avail.open.Copy(some)
	some.InPlaceIntersection(of.Have)
	restrict(some)
	if of.Wanted = int(some.Count()); of.Wanted == 0 {
		return 0, false
	}
	of.Have = some
	return s.pickAs(p, of)
}

// setAwaited says which pieces somebody waits for. If the first one was not
// awaited before, somebody reads from another place now: what peers were asked
// for in its stead would come before it, and is taken back.
func (s *planner) setAwaited(pieces []uint32) {
	pieces = slices.DeleteFunc(slices.Clone(pieces), func(piece uint32) bool {
		return piece >= uint32(s.pieces) || !s.lacks(piece)
	})
	moved := len(pieces) > 0 && !slices.Contains(s.urgency.awaited, pieces[0])
	s.urgency.awaited = pieces
	if moved {
		for _, p := range s.serving {
			s.takeBackOthers(p)
		}
	}
	if len(pieces) > 0 {
		s.starved = true
		s.refillStarved()
	}
}

// takeBackOthers takes back the requests to p for pieces that nobody waits for.
func (s *planner) takeBackOthers(p *peer) {
	for k := p.queue.len() - 1; k >= 0; k-- {
		r := p.queue.at(k)
		if slices.Contains(s.urgency.awaited, r.a.piece) || r.a.undivided {
			continue
		}
		p.queue.remove(r)
		s.ledger.returned(p, r)
		s.cancel(p, s.block(r.a.piece, r.i))
		s.settle(r.a)
	}
}

// chooseAwaited returns the piece that p is asked for next of those that
// somebody waits for, nil if there is none. It is left to nobody alone, so that
// all peers bring it.
func (s *planner) chooseAwaited(p *peer) *active {
	for _, piece := range s.urgency.awaited {
		if !p.has(piece) || !s.lacks(piece) {
			continue
		}
		a := s.ledger.active[piece]
		switch {
		case a == nil && s.budget.fits(s.blocks(piece)):
			own := p.own
			a = s.beginPiece(p, piece)
			if !a.undivided {
				a.owner, p.own = nil, own
			}
			return a
		case a == nil || a.finished || a.dropping || a.free == 0:
		case !a.undivided:
			a.owner = nil
			return a
		case a.leftTo() == p:
			return a
		}
	}
	return nil
}

// rescue asks p for up to n blocks that slower peers were asked for, of the
// pieces that are awaited soonest.
func (s *planner) rescue(p *peer, n int) (given int) {
	soon := s.urgency.awaited[:0:0]
	for _, piece := range s.urgency.awaited {
		if len(soon) < rescued && s.lacks(piece) {
			soon = append(soon, piece)
		}
	}
	n = s.duplicates(p, n)
	for r := range s.late(p, false) {
		if given >= n {
			break
		}
		if slices.Contains(soon, r.a.piece) && s.brings(p, r) && !r.a.undivided && s.mayAsk(p, r.cell(), false) {
			s.ledger.duplicate(p, r)
			given++
		}
	}
	return given
}
