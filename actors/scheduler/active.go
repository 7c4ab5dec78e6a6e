package scheduler

import (
	"slices"
	"time"
)

// active is a piece of which blocks are requested or have arrived.
//
// It outlives its entry in the ledger while peers have not answered all
// requests for its blocks: the store's PieceVerified and PieceCorrupt may
// overtake the last BlocksArrived. Such a piece is finished and counts nowhere.
// Peers keep refs to it, so a late answer is not taken for one about the piece
// when it comes again.
type active struct {
	piece uint32
	cells []cell
	// needed is how many blocks peers have to send: all but those of padding.
	needed int
	// owner is the peer that the piece was begun with, and that alone brings it
	// where possible; nil: any peer may. See leftTo.
	owner *peer
	// undivided: it has to come from one peer alone. It was corrupt, and parts of
	// it from several peers would leave the blame open once more.
	undivided bool
	turn      int  // of its last run, see abreast
	dropping  bool // no block is requested until the store has discarded those that arrived
	finished  bool
	source    *peer // the peer that sent all arrived blocks; nil: several peers did

	// How many blocks are in each state: the first three add up to needed.
	free, requested, arrived, spilled int

	lo, hi int // free blocks have indices in [lo, hi)
	place  int // in ledger.partial, or closed
}

// cell is the state of one block: arrived, requested of peers, padding, or
// free.
type cell struct {
	first   *peer   // the peer that it is requested from; nil: none
	others  []*peer // further peers that it is requested from
	arrived bool
	padding bool // zeros, which the store has and nobody is asked for
}

// ref names a block of one active piece.
type ref struct {
	a *active
	i uint32
}

func (r ref) cell() *cell { return &r.a.cells[r.i] }

// leftTo is the owner of the piece, nil if its blocks may be requested from any
// peer. An owner that cannot send the piece any more is forgotten.
func (a *active) leftTo() *peer {
	if o := a.owner; o != nil && (o.gone || o.choked || o.snubbed || !o.has(a.piece)) {
		a.owner = nil
	}
	return a.owner
}

// idle tells whether no block of the piece is requested or has arrived.
func (a *active) idle() bool { return !a.finished && a.requested == 0 && a.arrived == 0 }

// held is how many blocks of memory a piece takes. BlocksSpilled may overtake
// BlocksArrived, so more may be spilled than has arrived.
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

func (c *cell) free() bool { return c.first == nil && !c.arrived && !c.padding }

// asked is how many peers the block is requested from.
func (c *cell) asked() int {
	if c.first == nil {
		return 0
	}
	return 1 + len(c.others)
}

// silent is how many of these peers are silent.
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

// askedOf tells whether the block is requested from p.
func (c *cell) askedOf(p *peer) bool {
	return c.first == p || slices.Contains(c.others, p)
}

func (a *active) release(i int) {
	a.free++
	a.lo = min(a.lo, i)
	a.hi = max(a.hi, i+1)
}
