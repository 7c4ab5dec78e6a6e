package scheduler

import (
	"cmp"
	"slices"
)

// The end of a download, and of each peer's part in it: when a peer has room
// and nothing is left that nobody was asked for, it is asked for blocks that
// slower peers are to bring. Whoever comes second is told to cancel. In no other
// case is a block asked of a second peer.

const (
	// Near the end of all, a block is asked of another peer if that saves a
	// fifth of a second: less is within the error of the estimate, and costs
	// the block twice on a fast line.
	worthSeconds = 0.2
	// Before the end, only what would be long in coming is taken over.
	longSeconds = 2.0
	longFactor  = 4.0
	// minDuplicates are allowed at a time whatever the memory, in blocks.
	minDuplicates = 64
)

// takeOver asks p for up to n blocks that others were asked for.
func (s *swarm) takeOver(p *peer, n int) int {
	end := s.avail.Open() == 0 && s.ledger.free == 0
	askers := uint8(2)
	if end {
		askers = maxAskers
	}
	n = min(n, max(minDuplicates, s.limit/4)-s.ledger.duplicates)

	later := func(h *peer, blocks int) bool {
		mine, theirs := p.eta(p.queue.len()+1, s.now), h.eta(blocks, s.now)
		if end {
			return theirs > mine+worthSeconds
		}
		return theirs > longSeconds && theirs > longFactor*mine
	}

	given := 0
	for _, h := range s.slowFirst(end) {
		if h == p || h.queue.len() == 0 {
			continue
		}
		if given == n || !later(h, h.queue.len()) {
			break
		}
		for k := h.queue.len() - 1; k >= 0 && given < n && later(h, k+1); k-- {
			r := h.queue.at(k)
			c := &r.a.cells[r.i]
			if r.a.finished || c.lost || c.n >= askers || c.askedOf(p) ||
				!p.have.Test(uint(r.a.piece)) || s.reserved(r.a) {
				continue
			}
			if s.claim(p, r.a) {
				return given // it is free when the store has let go
			}
			s.ledger.duplicate(p, r)
			given++
		}
	}
	return given
}

// slowFirst lists the peers that were asked for something, those first that will
// have brought it last. Before the end the list is up to a tick old: with many
// peers at rest it would else be made for each block that comes.
func (s *swarm) slowFirst(end bool) []*peer {
	if age := s.now.Sub(s.slowAt); age == 0 || !end && age < tick {
		return s.slow
	}
	clear(s.slow)
	s.slow, s.slowAt = s.slow[:0], s.now
	for _, p := range s.open {
		if p.queue.len() > 0 {
			s.slow = append(s.slow, p)
		}
	}
	slices.SortFunc(s.slow, func(a, b *peer) int {
		return cmp.Compare(b.eta(b.queue.len(), s.now), a.eta(a.queue.len(), s.now))
	})
	return s.slow
}
