package scheduler

import "github.com/bits-and-blooms/bitset"

// urgency is which pieces are to be begun before others. Within each class the
// picker chooses.
type urgency struct {
	classes []*bitset.BitSet // disjoint, the most urgent first; what is in none comes last but for low
	low     *bitset.BitSet   // pieces to be begun last; nil: none
	scratch *bitset.BitSet   // pieces of a class that a peer has
}

// newUrgency: high and low are pieces; nil: none.
func newUrgency(high, low *bitset.BitSet) (u urgency) {
	if high != nil {
		u.classes = append(u.classes, high)
	}
	u.low = low
	return u
}

// pick returns the piece that p begins.
func (s *planner) pick(p *peer) (uint32, bool) {
	of := Offer{Have: p.have, Came: p.cameSeed, Wanted: p.wanted, Owned: s.owned, Share: s.share}
	u := &s.urgency
	for _, class := range u.classes {
		if piece, ok := s.pickOf(of, func(open *bitset.BitSet) { open.InPlaceIntersection(class) }); ok {
			return piece, true
		}
	}
	if u.low != nil {
		if piece, ok := s.pickOf(of, func(open *bitset.BitSet) { open.InPlaceDifference(u.low) }); ok {
			return piece, true
		}
	}
	return s.picker.Pick(s.avail, of)
}

// pickOf is pick among those pieces that restrict leaves of the open ones that
// the peer has.
func (s *planner) pickOf(of Offer, restrict func(open *bitset.BitSet)) (uint32, bool) {
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
	return s.picker.Pick(s.avail, of)
}
