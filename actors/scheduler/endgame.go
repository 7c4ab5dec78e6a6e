package scheduler

import (
	"cmp"
	"iter"
	"slices"
	"time"
)

// The end of a download, and of each peer's part in it: when a peer can take
// requests and nothing is left that nobody was asked for, it is asked for
// blocks that slower peers are to bring. The peer that comes second is told to
// cancel. In no other case is a block asked of a second peer.

const (
	// Near the end of all, a block is asked of another peer if that saves
	// minSaving seconds: less is within the error of the estimate, and costs the
	// block twice on a fast line.
	minSaving = 0.2
	// Before the end, only that is taken over which would take longer than minLong
	// seconds, and longFactor times as long as the other peer needs.
	minLong    = 2.0
	longFactor = 4.0
	// maxAskers is of how many peers the last blocks may be asked at a time, while
	// those are heard from.
	maxAskers = 3
)

// muchLonger says that it is worth while to take over what others would be long
// in bringing.
func muchLonger(theirs, mine float64) bool { return theirs > minLong && theirs > longFactor*mine }

// takeOver asks p for up to n blocks that slower peers are to bring.
func (s *planner) takeOver(p *peer, n int) (given int) {
	end := s.avail.Open() == 0 && s.ledger.free == 0
	n = s.duplicates(p, n)
	for r := range s.late(p, end) {
		switch {
		case given >= n:
			return given
		case !s.brings(p, r):
			continue
		case s.claim(p, r.a):
			return given // its blocks are free when the store has let go
		case s.reserved(r.a) || !s.mayAsk(p, r.cell(), end):
			continue
		}
		s.ledger.duplicate(p, r)
		given++
	}
	return given
}

// duplicates is for how many of n blocks p may be asked beside others, after
// requests of silent peers were taken back, if it takes that.
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
		for _, h := range s.slowest.list(s.unchoked, s.now, end) {
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
		return theirs > mine+minSaving
	}
	if h.speed.PerSecond() == 0 && !h.silent(s.now) {
		return false // it was only just asked for the first time
	}
	return muchLonger(theirs, mine)
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
	case n < maxAskers-1:
		return true
	case !p.brought:
		return false
	case n < maxAskers:
		return true
	default:
		return 2*c.silent(s.now) >= n
	}
}

// reclaim takes back from silent peers up to n requests for what others were
// asked for too, so that those who fall silent do not keep the others from
// taking over. It returns how many.
func (s *planner) reclaim(p *peer, n int) (taken int) {
	for _, h := range s.unchoked {
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
