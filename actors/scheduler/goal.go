package scheduler

import "github.com/bits-and-blooms/bitset"

// goal is which pieces the user wants and which of them are there. Whether the
// torrent is complete, what is left of it, and what a peer has for us follow
// from the goal and from nothing else.
type goal struct {
	geometry
	known   bool           // the store has said what is there
	have    *bitset.BitSet // verified pieces, wanted or not
	owned   int            // pieces in have
	wanted  *bitset.BitSet // nil: all pieces; never changed, only replaced
	lacking *bitset.BitSet // pieces that are wanted and not in have
	missing int            // pieces in lacking
	zeros   int64          // bytes of lacking pieces that are blocks of padding
}

func newGoal(g geometry, wanted *bitset.BitSet) *goal {
	new := &goal{geometry: g, have: bitset.New(uint(g.pieces))}
	new.want(wanted)
	return new
}

// want replaces the set of wanted pieces; nil: all.
func (g *goal) want(pieces *bitset.BitSet) {
	g.wanted = pieces
	g.lacking = bitset.New(uint(g.pieces)).Complement()
	g.lacking.InPlaceDifference(g.have)
	if pieces != nil {
		g.lacking.InPlaceIntersection(pieces)
	}
	g.missing = int(g.lacking.Count())
	g.zeros = 0
	for piece := range g.padding {
		if g.lacks(piece) {
			g.zeros += g.padded(piece)
		}
	}
}

// begin takes over what the store has found.
func (g *goal) begin(have *bitset.BitSet) {
	g.known, g.have, g.owned = true, have, int(have.Count())
	g.want(g.wanted)
}

// add records that a piece is verified.
func (g *goal) add(piece uint32) {
	g.have.Set(uint(piece))
	g.owned++
	if g.lacks(piece) {
		g.lacking.Clear(uint(piece))
		g.missing--
		g.zeros -= g.padded(piece)
	}
}

// complete: every wanted piece is there.
func (g *goal) complete() bool { return g.known && g.missing == 0 }

// within tells whether all wanted pieces are in set.
func (g *goal) within(set *bitset.BitSet) bool {
	if g.wanted == nil {
		return int(set.Count()) == g.pieces
	}
	return set.IsSuperSet(g.wanted)
}

// has says whether a piece is verified.
func (g *goal) has(piece uint32) bool { return g.have.Test(uint(piece)) }

// lacks says whether a piece is to be fetched: it is wanted and not there.
func (g *goal) lacks(piece uint32) bool { return g.lacking.Test(uint(piece)) }

// interest is how many of these pieces are to be fetched.
func (g *goal) interest(theirs *bitset.BitSet) int {
	return int(theirs.IntersectionCardinality(g.lacking))
}

// wantedPieces is how many pieces are wanted, those that are there included.
func (g *goal) wantedPieces() int {
	if g.wanted == nil {
		return g.pieces
	}
	return g.missing + int(g.have.IntersectionCardinality(g.wanted))
}

// verified is how many bytes are there.
func (g *goal) verified() int64 { return g.bytes(g.have, g.owned) }

// chosen is how many bytes of wanted pieces there are; 0: all.
func (g *goal) chosen() int64 {
	if g.wanted == nil {
		return 0
	}
	return g.bytes(g.wanted, int(g.wanted.Count()))
}

// left is how many bytes of wanted pieces are still to come from peers.
func (g *goal) left() int64 { return g.bytes(g.lacking, g.missing) - g.zeros }

// bytes is the length of the pieces in a set of so many.
func (g geometry) bytes(set *bitset.BitSet, count int) int64 {
	n := int64(count) * g.pieceLength
	if last := g.pieces - 1; last >= 0 && set.Test(uint(last)) {
		n += g.size(uint32(last)) - g.pieceLength
	}
	return n
}
