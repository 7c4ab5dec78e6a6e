package scheduler

import (
	"slices"

	"kouzui/messages"
)

// ledger records the state of each block of each active piece: free, requested
// from one or more peers, or arrived; and for each peer, which blocks are
// requested from it. The memory in use is derived from the ledger and counted
// nowhere else.
//
// A piece is active while at least one of its blocks is requested or has
// arrived. After that the ledger forgets it.
type ledger struct {
	geometry
	active  map[uint32]*active
	partial []*active // those with free blocks, in no order

	// Sums over the active pieces, in blocks.
	memory     int // requested or arrived, and not spilled to disk
	requested  int
	free       int
	duplicates int // requests for blocks that are also requested from another peer
}

func newLedger(g geometry) *ledger {
	return &ledger{geometry: g, active: map[uint32]*active{}}
}

// begin makes a piece active, all its blocks free but those of padding.
func (l *ledger) begin(piece uint32, padding []run) *active {
	n := l.blocks(piece)
	a := &active{piece: piece, cells: make([]cell, n), hi: n, place: closed}
	for _, r := range padding {
		for i := r.first; i < r.end; i++ {
			a.cells[i].padding = true
		}
		n -= r.end - r.first
	}
	a.needed, a.free = n, n
	l.active[piece] = a
	l.count(a)
	return a
}

// finish forgets a piece. Peers keep their refs to it until they have answered.
func (l *ledger) finish(a *active) {
	l.discount(a)
	a.finished = true
	a.owner = nil
	delete(l.active, a.piece)
	l.setPartial(a, false)
}

// discount and count keep the sums: discount is called before each change of an
// active piece, count after it.
func (l *ledger) discount(a *active) {
	if !a.finished {
		l.memory -= a.held()
		l.requested -= a.requested
		l.free -= a.free
	}
}

func (l *ledger) count(a *active) {
	if !a.finished {
		l.memory += a.held()
		l.requested += a.requested
		l.free += a.free
		l.setPartial(a, a.free > 0 && !a.dropping)
	}
}

func (l *ledger) setPartial(a *active, partial bool) {
	switch {
	case partial == (a.place != closed):
	case partial:
		a.place = len(l.partial)
		l.partial = append(l.partial, a)
	default:
		last := len(l.partial) - 1
		l.partial[a.place] = l.partial[last]
		l.partial[a.place].place = a.place
		l.partial[last] = nil
		l.partial = l.partial[:last]
		a.place = closed
	}
}

// take asks p for up to n free blocks of a, from its front or its back, and
// returns how many it found.
func (l *ledger) take(p *peer, a *active, n int, from end) int {
	l.discount(a)
	taken := 0
	for taken < n && a.free > 0 {
		i := a.nextFree(from)
		c := &a.cells[i]
		c.first = p
		a.free--
		a.requested++
		l.ask(p, ref{a, uint32(i)})
		taken++
	}
	l.count(a)
	return taken
}

// duplicate asks p for a block that is already requested from another peer.
func (l *ledger) duplicate(p *peer, r ref) {
	c := r.cell()
	c.others = append(c.others, p)
	l.duplicates++
	l.ask(p, r)
}

func (l *ledger) ask(p *peer, r ref) {
	p.queue.push(r)
	p.ask = append(p.ask, l.block(r.a.piece, r.i))
}

// remove removes p from the peers that a block is requested from.
func (l *ledger) remove(c *cell, p *peer) {
	last := len(c.others) - 1
	switch i := slices.Index(c.others, p); {
	case i >= 0:
		c.others = slices.Delete(c.others, i, i+1)
	case c.first != p:
		return
	case last < 0:
		c.first = nil
		return
	default:
		c.first = c.others[last]
		c.others = slices.Delete(c.others, last, last+1)
	}
	l.duplicates--
}

// arrive records that a block arrived from p. It returns the block's piece, or
// nil if the block was not requested from p, or no longer was: such a block is
// not counted as arrived. It calls cancelled for each other peer that the block
// was requested from.
func (l *ledger) arrive(p *peer, b messages.Block, cancelled func(*peer, messages.Block)) *active {
	r, ok := p.queue.removeBlock(b)
	if !ok {
		return nil
	}
	a, c := r.a, r.cell()
	l.remove(c, p)
	for c.first != nil {
		other := c.first
		l.remove(c, other)
		other.queue.remove(r)
		cancelled(other, b)
	}
	l.discount(a)
	a.requested--
	if a.arrived++; a.arrived == 1 {
		a.source = p
	} else if a.source != p {
		a.source = nil
	}
	c.arrived = true
	l.count(a)
	return a
}

// giveBack records that p will not send this block. It returns the block's
// piece, or nil if the block was not requested from p.
func (l *ledger) giveBack(p *peer, b messages.Block) *active {
	r, ok := p.queue.removeBlock(b)
	if !ok {
		return nil
	}
	l.returned(p, r)
	return r.a
}

// giveBackAll records that p will send none of the blocks requested from it. It
// calls each for every piece of these blocks, possibly more than once.
func (l *ledger) giveBackAll(p *peer, each func(*active)) {
	for p.queue.len() > 0 {
		r := p.queue.at(0)
		p.queue.remove(r)
		l.returned(p, r)
		each(r.a)
	}
}

func (l *ledger) returned(p *peer, r ref) {
	l.remove(r.cell(), p)
	l.freed(r)
}

// withdraw takes back all requests for blocks of a piece that is being dropped,
// and calls cancelled for each request.
func (l *ledger) withdraw(a *active, cancelled func(*peer, messages.Block)) {
	l.setPartial(a, false)
	for i := range a.cells {
		r := ref{a, uint32(i)}
		for c := &a.cells[i]; c.first != nil; {
			p := c.first
			p.queue.remove(r)
			cancelled(p, l.block(a.piece, r.i))
			l.returned(p, r)
		}
	}
}

// freed makes a block free if it is no longer requested from any peer.
func (l *ledger) freed(r ref) {
	if r.cell().first != nil {
		return
	}
	l.discount(r.a)
	r.a.requested--
	r.a.release(int(r.i))
	l.count(r.a)
}

// spill records that blocks left memory for the disk.
func (l *ledger) spill(piece uint32, blocks int) {
	if a := l.active[piece]; a != nil {
		l.discount(a)
		a.spilled = min(a.spilled+blocks, a.needed)
		l.count(a)
	}
}
