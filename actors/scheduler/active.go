package scheduler

import (
	"slices"
	"time"
)

// active is a piece on its way.
//
// It outlives its entry in the ledger while peers still owe a word on its
// blocks: the store's PieceVerified and PieceCorrupt may overtake the last
// BlocksArrived. Such a piece is finished, counts nowhere, and what is still
// said of it is not taken for a block of its successor.
type active struct {
	piece uint32
	cells []cell
	// owner is the peer that the piece was begun with, to come from it alone
	// where possible; nil: it is shared.
	owner *peer
	// undivided: it has to come from one peer alone. It was corrupt, and parts of
	// it from several peers would leave the blame open once more.
	undivided bool
	dropping  bool // nothing is asked for until the store has let go what has arrived
	finished  bool
	source    *peer // brought all that has arrived; nil: several did

	free, requested, arrived, spilled int // blocks; the first three add up to all
	lo, hi                            int // free blocks have indices in [lo, hi)
	place                             int // in ledger.partial, or closed
}

// cell is the state of one block: arrived, requested of peers, or free.
type cell struct {
	first   *peer // that was asked
	others  []*peer
	arrived bool
	// lost: the store dropped it before its arrival was reported.
	lost bool
}

// ref names a block of one active piece.
type ref struct {
	a *active
	i uint32
}

func (r ref) cell() *cell { return &r.a.cells[r.i] }

// leftTo is the peer that the piece is left to, nil if it is anybody's.
func (a *active) leftTo() *peer {
	if o := a.owner; o != nil && (o.gone || o.choked || o.snubbed) {
		a.owner = nil
	}
	return a.owner
}

// idle says that nothing of the piece is requested or has arrived.
func (a *active) idle() bool { return !a.finished && a.requested == 0 && a.arrived == 0 }

// held is how many blocks of memory a piece takes. The word of a spill may
// overtake that of the arrival.
func (a *active) held() int { return a.requested + max(0, a.arrived-a.spilled) }

// nextFree takes a free block, the first or the last one.
func (a *active) nextFree(from end) int {
	if from == back {
		for !a.cells[a.hi-1].free() {
			a.hi--
		}
		a.hi--
		return a.hi
	}
	for !a.cells[a.lo].free() {
		a.lo++
	}
	a.lo++
	return a.lo - 1
}

func (c *cell) free() bool { return c.first == nil && !c.arrived }

// asked is of how many peers the block is requested.
func (c *cell) asked() int {
	if c.first == nil {
		return 0
	}
	return 1 + len(c.others)
}

// silent is how many of the peers asked are.
func (c *cell) silent(now time.Time) (n int) {
	if c.first != nil && c.first.silent(now) {
		n++
	}
	for _, p := range c.others {
		if p.silent(now) {
			n++
		}
	}
	return n
}

// askedOf says whether p is among those asked.
func (c *cell) askedOf(p *peer) bool {
	return c.first == p || slices.Contains(c.others, p)
}

func (a *active) release(i int) {
	a.free++
	a.lo = min(a.lo, i)
	a.hi = max(a.hi, i+1)
}
