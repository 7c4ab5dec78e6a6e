package scheduler

import "math"

// budget bounds the payload that is in memory or on its way there, in blocks.
//
// Memory is reserved by whole pieces: a piece is begun only when all that is
// begun could arrive within the limit, so that begun pieces can always be
// finished. Beyond that a piece is begun, as far as there is memory at the
// moment, by a peer that has no part of what is begun, and by one that brings
// large pieces abreast, which the store writes a run at a time. Should such
// pieces fill the memory and come to a stand, one piece at a time, the exempt
// one, goes on beyond the limit, and the store spills to the disk. The exempt
// piece waits while most of the memory holds blocks that have arrived: then the
// store has something to write, and will tell when it has.
type budget struct {
	ledger *ledger
	limit  int
	exempt *active // the piece that may go on beyond the limit; nil: none
	stuck  bool    // the limit is reached, no block is requested, and a tick has passed

	// refused: since it was last cleared, a peer got no request because of the
	// limit.
	refused bool
}

const (
	// advanceShare: peers from which no block has arrived yet share 1/advanceShare
	// of the memory, so that silent ones leave room for the others.
	advanceShare = 4
	// advanceLeast is that part at least, in blocks, whatever the memory; and how
	// many blocks a peer is asked for when the budget is stuck.
	advanceLeast = 16
	// duplicateShare: blocks requested from a second peer may take
	// 1/duplicateShare of the memory. There may always be minDuplicates of them.
	duplicateShare = 4
	minDuplicates  = 64
)

// setLimit sets the limit. A shorter block counts as a whole one, as its buffer
// takes as much memory.
func (b *budget) setLimit(bytes int64) { b.limit = max(1, int(bytes/BlockSize)) }

// reached tells whether the limit is reached, and sets refused if so.
func (b *budget) reached() bool {
	if b.ledger.memory < b.limit {
		return false
	}
	b.refused = true
	return true
}

// fits says whether one more piece, of so many blocks, could arrive within the
// limit beside all that is begun.
func (b *budget) fits(blocks int) bool {
	l := b.ledger
	if len(l.active) == 0 || l.memory+l.free+blocks <= b.limit {
		return true
	}
	b.refused = true
	return false
}

// left is how many blocks of a piece may be asked for.
func (b *budget) left(a *active) int {
	if a == b.exempt && !b.storeFrees() {
		return math.MaxInt
	}
	return b.limit - b.ledger.memory
}

// storeFrees says whether the store is certain to free memory: so much has
// arrived that the store, which spills when half of the memory lies in
// unfinished pieces, is at work.
func (b *budget) storeFrees() bool {
	arrived := b.ledger.memory - b.ledger.requested
	return !b.stuck && arrived > b.limit*3/4
}

// advances is how many blocks may be requested in all from peers from which no
// block has arrived yet.
func (b *budget) advances() int { return max(b.limit/advanceShare, advanceLeast) }

// duplicates is how many more blocks may be asked of a second peer.
func (b *budget) duplicates() int {
	return max(minDuplicates, b.limit/duplicateShare) - b.ledger.duplicates
}

// look finds out whether the budget is stuck. It should not stay so: a store
// may count short blocks for less than a whole one, and then nothing frees
// memory.
func (b *budget) look() {
	b.stuck = b.ledger.requested == 0 && b.ledger.memory >= b.limit
}

// forget ends the exemption of a piece, if it is the exempt one.
func (b *budget) forget(a *active) {
	if b.exempt == a {
		b.exempt = nil
	}
}
