package scheduler

import (
	"math/bits"
	"math/rand/v2"

	"github.com/bits-and-blooms/bitset"
)

// Availability counts how many peers have each piece, and keeps the open pieces
// (those that we lack and have not begun to download) ordered by that count, in
// random order among equals. Nothing is ever sorted: the order is cut into
// buckets of equal count, and a piece whose count changes by one swaps places
// with the neighbouring piece of its bucket's edge, in constant time.
//
// A peer that has every piece when it joins does not change the order, and is
// only counted.
type Availability struct {
	rng        *rand.Rand
	everywhere int      // peers that came with every piece
	count      []int32  // by piece: peers that have it, without everywhere
	place      []int32  // by piece: its index in order, or closed
	order      []uint32 // open pieces, rarest first
	// start[c] is where the pieces of count c begin in order; the last one is
	// len(order). So bucket c is order[start[c]:start[c+1]].
	start []int32
	open  *bitset.BitSet // the same pieces as order
}

// closed is the place of a piece that is not open.
const closed = -1

// NewAvailability returns the availability of a torrent whose pieces are all
// open and which no peer has.
func NewAvailability(pieces int, rng *rand.Rand) *Availability {
	a := &Availability{
		rng:   rng,
		count: make([]int32, pieces),
		place: make([]int32, pieces),
		order: make([]uint32, pieces),
		start: []int32{0, int32(pieces)},
		open:  bitset.New(uint(pieces)),
	}
	for i, p := range rng.Perm(pieces) {
		a.order[i] = uint32(p)
		a.place[p] = int32(i)
	}
	if pieces > 0 {
		a.open.SetRange(0, uint(pieces))
	}
	return a
}

// Open is how many pieces are open.
func (a *Availability) Open() int { return len(a.order) }

// Count is how many peers have the piece.
func (a *Availability) Count(piece uint32) int { return a.everywhere + int(a.count[piece]) }

// JoinSeed and LeaveSeed count a peer that came with every piece.
func (a *Availability) JoinSeed() { a.everywhere++ }

// LeaveSeed is the opposite of JoinSeed.
func (a *Availability) LeaveSeed() { a.everywhere-- }

// Join counts the pieces of a peer.
func (a *Availability) Join(have *bitset.BitSet) {
	for piece := range have.EachSet() {
		a.Rise(uint32(piece))
	}
}

// Leave is the opposite of Join.
func (a *Availability) Leave(have *bitset.BitSet) {
	for piece := range have.EachSet() {
		a.Fall(uint32(piece))
	}
}

// Rise counts one peer more that has the piece.
func (a *Availability) Rise(piece uint32) {
	c := a.count[piece]
	a.count[piece]++
	if a.place[piece] == closed {
		return
	}
	a.reach(c + 1)
	a.start[c+1]--
	a.swap(a.place[piece], a.start[c+1])
	a.shuffle(piece)
}

// Fall counts one peer less that has the piece.
func (a *Availability) Fall(piece uint32) {
	c := a.count[piece]
	a.count[piece]--
	if a.place[piece] == closed {
		return
	}
	a.swap(a.place[piece], a.start[c])
	a.start[c]++
	a.shuffle(piece)
}

// Close takes a piece out of the order. It costs a step for each bucket above
// the piece's own.
func (a *Availability) Close(piece uint32) {
	if a.place[piece] == closed {
		return
	}
	for k := int(a.count[piece]) + 1; k < len(a.start); k++ {
		a.start[k]--
		a.swap(a.place[piece], a.start[k])
	}
	a.order = a.order[:len(a.order)-1]
	a.place[piece] = closed
	a.open.Clear(uint(piece))
}

// Reopen puts a closed piece back.
func (a *Availability) Reopen(piece uint32) {
	if a.place[piece] != closed {
		return
	}
	c := a.count[piece]
	a.reach(c)
	a.place[piece] = int32(len(a.order))
	a.order = append(a.order, piece)
	a.open.Set(uint(piece))
	for k := len(a.start) - 1; k > int(c); k-- {
		a.swap(a.place[piece], a.start[k])
		a.start[k]++
	}
	a.shuffle(piece)
}

// reach makes sure that bucket c exists.
func (a *Availability) reach(c int32) {
	for len(a.start) < int(c)+2 {
		a.start = append(a.start, int32(len(a.order)))
	}
}

func (a *Availability) swap(i, j int32) {
	a.order[i], a.order[j] = a.order[j], a.order[i]
	a.place[a.order[i]], a.place[a.order[j]] = i, j
}

// shuffle puts a piece at a random place in its bucket.
func (a *Availability) shuffle(piece uint32) {
	c := a.count[piece]
	first, end := a.start[c], a.start[c+1]
	a.swap(a.place[piece], first+a.rng.Int32N(end-first))
}

// eachOpen calls yield with the open pieces in have by rising index, until it
// returns false. It costs a step for each 64 pieces.
func (a *Availability) eachOpen(have *bitset.BitSet, yield func(uint32) bool) {
	theirs := have.Words()
	for i, word := range a.open.Words()[:min(len(theirs), len(a.open.Words()))] {
		for word &= theirs[i]; word != 0; word &= word - 1 {
			if !yield(uint32(i*64 + bits.TrailingZeros64(word))) {
				return
			}
		}
	}
}
