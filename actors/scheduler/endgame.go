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
	// maxAskers is of how many peers the last blocks may be asked at a time, while
	// those are heard from.
	maxAskers = 3
	// minDuplicates are allowed at a time whatever the memory, in blocks.
	minDuplicates = 64
)

// takeOver asks p for up to n blocks that others were asked for.
func (s *swarm) takeOver(p *peer, n int) int {
	end := s.avail.Open() == 0 && s.ledger.free == 0
	left := max(minDuplicates, s.limit/4) - s.ledger.duplicates
	if left < n {
		left += s.reclaim(p, n-left)
	}
	n = min(n, left)

	later := func(h *peer, blocks int) bool {
		mine, theirs := p.eta(p.queue.len()+1, s.now), h.eta(blocks, s.now)
		if end {
			return theirs > mine+worthSeconds
		}
		if h.speed.PerSecond() == 0 && !h.silent(s.now) {
			return false // it was only just asked for the first time
		}
		return longer(theirs, mine)
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
			if r.a.finished || c.lost || c.askedOf(p) || !p.have.Test(uint(r.a.piece)) {
				continue
			}
			if s.claim(p, r.a) {
				return given // it is free when the store has let go
			}
			if s.reserved(r.a) || !s.mayAsk(p, c, end) {
				continue
			}
			s.ledger.duplicate(p, r)
			given++
		}
	}
	return given
}

// reclaim takes back from silent peers up to n requests for what others were asked
// for too, so that those who fall silent do not keep the others from taking over.
// It returns how many.
func (s *swarm) reclaim(p *peer, n int) (taken int) {
	for _, h := range s.open {
		if h == p || !h.silent(s.now) {
			continue
		}
		for k := h.queue.len() - 1; k >= 0 && taken < n; k-- {
			r := h.queue.at(k)
			c := &r.a.cells[r.i]
			if r.a.finished || c.lost || c.asked() == 1 {
				continue
			}
			h.queue.remove(r)
			s.ledger.remove(c, h)
			s.cancel(h, s.block(r.a.piece, r.i))
			taken++
		}
	}
	return taken
}

// longer says that it is worth while to take over what would be long in coming.
func longer(theirs, mine float64) bool { return theirs > longSeconds && theirs > longFactor*mine }

// mayAsk says whether p may be asked for a block too. Of those that are asked for
// one of the last, one has brought something before, and when half of them are
// silent one more may be asked: else a few could keep it from everybody else.
func (s *swarm) mayAsk(p *peer, c *cell, end bool) bool {
	n := c.asked()
	switch {
	case !end:
		return n < 2
	case n < maxAskers-1:
		return true
	case !p.brought:
		return false
	case n < maxAskers:
		return true
	}
	silent := 0
	if c.first.silent(s.now) {
		silent++
	}
	for _, p := range c.others {
		if p.silent(s.now) {
			silent++
		}
	}
	return 2*silent >= n
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
