package peer

import "github.com/bits-and-blooms/bitset"

// offers are the pieces that a super-seed (BEP 16) has told the other side of.
type offers struct {
	open  *bitset.BitSet // those of which the other side has asked for nothing yet; nil: we do not super-seed
	asked int            // how many others there are
}

func (o *offers) tell(pieces []uint32) {
	if o.open == nil {
		return
	}
	for _, piece := range pieces {
		o.open.Set(uint(piece))
	}
}

// ask records that the other side has asked for a part of a piece. It says
// whether the scheduler should hear: half of the pieces have been asked for
// now, or all.
func (o *offers) ask(piece uint32) (news bool) {
	if o.open == nil || !o.open.Test(uint(piece)) {
		return false
	}
	o.open.Clear(uint(piece))
	o.asked++
	left := int(o.open.Count())
	// The difference grows by two at a time, and is 0 or 1 when half is reached.
	beyond := o.asked - left
	return left == 0 || beyond == 0 || beyond == 1
}
