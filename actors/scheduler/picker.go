package scheduler

import (
	"iter"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/runtime/pattern"
)

// Picker chooses which piece a peer begins. Pieces that are begun already are
// not open: they are finished first, without a picker.
type Picker interface {
	// Pick returns an open piece that the peer has, false if there is none.
	Pick(a *Availability, of Offer) (piece uint32, ok bool)
}

// Offer is what a picker knows of the peer that is to begin a piece, and of us.
type Offer struct {
	Have   *bitset.BitSet // the pieces of the peer
	Came   bool           // the peer came with every piece, see Availability.JoinSeed
	Wanted int            // pieces of the peer that we want and lack
	Owned  int            // pieces that we have
	Share  *share         // of us among other downloaders; nil: we know of none
}

// Pickers are the rules that a user can choose from.
var Pickers = pattern.NewKind[Picker]("picker", "which piece a peer begins", "rarest", pattern.Everywhere, pattern.OfTorrent)

// rarest begins with the piece that the fewest peers have: it is the likeliest
// to vanish, and the one that most peers will want from us.
type rarest struct{}

var _ = Pickers.Register("rarest", "the piece that the fewest peers have; the first four by chance", func() Picker { return rarest{} })

const (
	// firstRandom is how many pieces are chosen by chance before the rarest ones
	// are: a newcomer needs something to give soon, and rare pieces tend to come
	// slowly.
	firstRandom = 4
	// probes is how often random guesses before it looks at all pieces of a peer.
	probes = 16
	// shareProbes is how many pieces that are equally rare are looked at for one
	// that is ours to begin, see share.
	shareProbes = 64
)

func (rarest) Pick(a *Availability, of Offer) (uint32, bool) {
	if of.Owned < firstRandom {
		return ours(of.Share, randomOnes(a, of))
	}
	if of.Wanted < len(a.order)/64 {
		return rarestOfFew(a, of)
	}
	return ours(of.Share, rarestOnes(a, of))
}

// ours is of the first shareProbes pieces the one that is ours before it is
// others'.
func ours(s *share, pieces iter.Seq[uint32]) (best uint32, ok bool) {
	least, seen := 0, 0
	for piece := range pieces {
		if n := s.before(piece); !ok || n < least {
			best, least, ok = piece, n, true
		}
		if seen++; least == 0 || seen == shareProbes {
			break
		}
	}
	return best, ok
}

// rarestOnes yields the pieces of the peer that are as rare as the rarest.
func rarestOnes(a *Availability, of Offer) iter.Seq[uint32] {
	// What a peer has is in bucket 1 or above, unless it was counted apart.
	from := int32(0)
	if !of.Came && len(a.start) > 2 {
		from = a.start[1]
	}
	return func(yield func(uint32) bool) {
		least := int32(-1)
		for _, piece := range a.order[from:] {
			switch {
			case least >= 0 && a.count[piece] != least:
				return
			case of.Have.Test(uint(piece)):
				if least = a.count[piece]; !yield(piece) {
					return
				}
			}
		}
	}
}

// randomOnes yields random pieces of the peer, some perhaps more than once.
func randomOnes(a *Availability, of Offer) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for {
			if piece, ok := (random{}).Pick(a, of); !ok || !yield(piece) {
				return
			}
		}
	}
}

// rarestOfFew looks at all pieces of the peer, and not at all rare pieces.
func rarestOfFew(a *Availability, of Offer) (best uint32, ok bool) {
	equals := 0
	a.eachOpen(of.Have, func(piece uint32) bool {
		switch {
		case !ok || a.count[piece] < a.count[best]:
			best, ok, equals = piece, true, 1
		case a.count[piece] == a.count[best]:
			if equals++; a.rng.IntN(equals) == 0 {
				best = piece
			}
		}
		return true
	})
	return best, ok
}

// random begins with any piece, as the original Kouzui did.
type random struct{}

var _ = Pickers.Register("random", "any piece, as the original Kouzui did", func() Picker { return random{} })

func (random) Pick(a *Availability, of Offer) (uint32, bool) {
	if len(a.order) == 0 {
		return 0, false
	}
	for range probes {
		if piece := a.order[a.rng.IntN(len(a.order))]; of.Have.Test(uint(piece)) {
			return piece, true
		}
	}
	var chosen uint32
	seen := 0
	a.eachOpen(of.Have, func(piece uint32) bool {
		if seen++; a.rng.IntN(seen) == 0 {
			chosen = piece
		}
		return true
	})
	return chosen, seen > 0
}

// sequential begins with the first piece, for those that use the content while
// it arrives.
type sequential struct{}

var _ = Pickers.Register("sequential", "the first piece, for those that use the content while it arrives", func() Picker { return sequential{} })

func (sequential) Pick(a *Availability, of Offer) (first uint32, ok bool) {
	a.eachOpen(of.Have, func(piece uint32) bool {
		first, ok = piece, true
		return false
	})
	return first, ok
}
