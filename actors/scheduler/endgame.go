package scheduler

import (
	"cmp"
	"iter"
	"slices"
	"time"
)

// The end of a download, and of each peer's part in it: when a peer can take
// requests and no free block is left for it, it is asked for blocks that are
// already requested from slower peers. When one of them sends the block, the
// requests to the others are cancelled. In no other case is a block requested
// from a second peer.

// muchLonger tells whether something is worth taking over from h before the
// end: h needs theirs seconds for it, the other peer mine.
func (s *planner) muchLonger(h *peer, theirs, mine float64) bool {
	least := s.rules.Long
	if h.silent(s.now) {
		least = s.rules.LongSilent
	}
	return theirs > least && theirs > s.rules.LongFactor*mine
}

// nearEnd tells whether the last blocks of the download are under way.
func (s *planner) nearEnd() bool {
	return s.avail.Open() == 0 && s.ledger.free == 0 && s.ledger.requested <= s.rules.EndBlocks
}

// takeOver asks p for up to n blocks that are already requested from slower
// peers.
func (s *planner) takeOver(p *peer, n int) (given int) {
	end := s.nearEnd()
	n = s.duplicates(p, n)
	for r := range s.late(p, end) {
		switch {
		case given >= n:
			return given
		case !s.brings(p, r):
			continue
		case s.claim(p, r.a):
			return given // the blocks are free once the store has discarded the piece
		case s.reserved(r.a) || !s.mayAsk(p, r.cell(), end):
			continue
		}
		s.ledger.duplicate(p, r)
		given++
	}
	return given
}

// duplicates is how many of n blocks may be requested from p as duplicates. If
// the limit on duplicates is reached, it first takes back requests to silent
// peers.
func (s *planner) duplicates(p *peer, n int) int {
	left := s.budget.duplicates()
	if left < n {
		left += s.reclaim(p, n-left)
	}
	return min(n, left)
}

// late yields what slower peers are to bring later than p could: those first
// that take longest, and of each what it was asked for last.
func (s *planner) late(p *peer, end bool) iter.Seq[ref] {
	return func(yield func(ref) bool) {
		for _, h := range s.slowest.list(s.serving, s.now, end) {
			n := h.queue.len()
			if h == p || n == 0 {
				continue
			}
			// If not from h, then from none: the others are quicker still.
			if !s.sooner(p, h, n, end) || !s.lateOf(p, h, end, yield) {
				return
			}
		}
	}
}

// lateOf yields what h is to bring later than p could. It returns whether to go
// on.
func (s *planner) lateOf(p, h *peer, end bool, yield func(ref) bool) bool {
	for k := h.queue.len() - 1; k >= 0 && s.sooner(p, h, k+1, end); k-- {
		if !yield(h.queue.at(k)) {
			return false
		}
	}
	return true
}

// sooner says whether p would bring one more block so much sooner than h the
// first so many of its queue that it is worth asking p too.
func (s *planner) sooner(p, h *peer, blocks int, end bool) bool {
	mine, theirs := p.eta(p.queue.len()+1, s.now), h.eta(blocks, s.now)
	if end {
		return theirs > mine+s.leastSaving(h)
	}
	if h.speed.PerSecond() == 0 && !h.silent(s.now) {
		return false // it was only just asked for the first time
	}
	return s.muchLonger(h, theirs, mine)
}

// leastSaving is how many seconds must be saved at the end by asking another
// peer for a block beside h.
func (s *planner) leastSaving(h *peer) float64 {
	if h.silent(s.now) {
		return s.rules.MinSaving
	}
	return max(s.rules.MinSaving, float64(s.rules.Uncancelled)*BlockSize/max(h.speed.PerSecond(), slowest))
}

// brings says whether p could bring a block that others were asked for.
func (s *planner) brings(p *peer, r ref) bool {
	c := r.cell()
	return !r.a.finished && !c.askedOf(p) && p.has(r.a.piece)
}

// mayAsk says whether p may be asked for a block too. Of those that are asked
// for one of the last, one has brought something before, and when half of them
// are silent one more may be asked: else a few could keep it from everybody
// else.
func (s *planner) mayAsk(p *peer, c *cell, end bool) bool {
	n := c.asked()
	switch {
	case !end:
		return n < 2
	case n < s.rules.Askers-1:
		return true
	case !p.brought:
		return false
	case n < s.rules.Askers:
		return true
	default:
		return 2*c.silent(s.now) >= n
	}
}

// reclaim takes back from silent peers up to n requests for blocks that are
// also requested from other peers, so that peers that fall silent do not use up
// the number of duplicate requests. It returns how many requests it took back.
func (s *planner) reclaim(p *peer, n int) (taken int) {
	for _, h := range s.serving {
		if h != p && h.silent(s.now) {
			taken += s.reclaimFrom(h, n-taken)
		}
	}
	return taken
}

func (s *planner) reclaimFrom(h *peer, n int) (taken int) {
	for k := h.queue.len() - 1; k >= 0 && taken < n; k-- {
		r := h.queue.at(k)
		c := r.cell()
		if r.a.finished || c.asked() == 1 {
			continue
		}
		h.queue.remove(r)
		s.ledger.remove(c, h)
		s.cancel(h, s.block(r.a.piece, r.i))
		taken++
	}
	return taken
}

// ranking lists the peers that were asked for something, those first that will
// have brought it last.
type ranking struct {
	peers []*peer
	at    time.Time
}

// list makes the ranking, or returns the last one: before the end that may be
// up to a tick old, as with many peers it would else be made for each block
// that comes.
func (r *ranking) list(of []*peer, now time.Time, end bool) []*peer {
	if age := now.Sub(r.at); age == 0 || !end && age < tick {
		return r.peers
	}
	clear(r.peers)
	r.peers, r.at = r.peers[:0], now
	for _, p := range of {
		if p.queue.len() > 0 {
			r.peers = append(r.peers, p)
		}
	}
	slices.SortFunc(r.peers, func(a, b *peer) int {
		return cmp.Compare(b.eta(b.queue.len(), now), a.eta(a.queue.len(), now))
	})
	return r.peers
}
