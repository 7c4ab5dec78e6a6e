package peer

import "github.com/bits-and-blooms/bitset"

// offers are the pieces that a super-seed (BEP 16) has told the other side of.
type offers struct {
	open  *bitset.BitSet // those of which the other side has asked for nothing yet; nil: we do not super-seed
	left  int            // how many are in open
	asked int            // how many were, before the other side asked for them
}

func (o *offers) tell(pieces []uint32) {
	if o.open == nil {
		return
	}
	for _, piece := range pieces {
		if !o.open.Test(uint(piece)) {
			o.open.Set(uint(piece))
			o.left++
		}
	}
}

// ask records that the other side has asked for a part of a piece. It says
// whether the scheduler should hear: as many pieces have been asked for as are
// left, or none is left.
func (o *offers) ask(piece uint32) (news bool) {
	if o.open == nil || !o.open.Test(uint(piece)) {
		return false
	}
	o.open.Clear(uint(piece))
	o.left--
	o.asked++
	return o.left == 0 || o.left <= o.asked && o.left+1 > o.asked-1
}
