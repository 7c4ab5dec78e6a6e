package scheduler

import (
	"math/rand/v2"

	"kouzui/messages"
)

// planner decides which blocks are requested from which peer. It goes by the
// state of each block (the ledger), by the pieces that a peer has and the
// requests it can take, and by the memory (the budget). Only the planner
// changes the ledger and the availability.
type planner struct {
	*moment
	*goal
	*roster
	orders  *orders
	blame   *blame
	rng     *rand.Rand
	picker  Picker
	rules   Rules
	avail   *Availability
	ledger  *ledger
	budget  budget
	abreast abreast
	share   *share
	urgency urgency
	slowest ranking
	paused  bool // the store takes nothing
	starved bool // a peer could take more requests than there were blocks to request
}

func newPlanner(s *swarm, memory int64, picker Picker, rng *rand.Rand) *planner {
	n := &planner{
		moment: s.moment, goal: s.goal, roster: s.roster, orders: s.orders, blame: s.blame,
		rng:    rng,
		picker: picker,
		rules:  usualRules,
		avail:  NewAvailability(s.pieces, rng),
		share:  &share{roster: s.roster},
		ledger: newLedger(s.geometry),
	}
	n.budget.ledger = n.ledger
	n.budget.setLimit(memory)
	return n
}

// open closes the pieces that need not be downloaded, once the store has told
// which those are.
func (s *planner) open() {
	for piece := range uint32(s.pieces) {
		if !s.lacks(piece) {
			s.avail.Close(piece)
		}
	}
}

// setWanted applies the goal to each piece: a lacking piece can be begun, and
// the download of a piece that is no longer wanted ends.
func (s *planner) setWanted() {
	for piece := range uint32(s.pieces) {
		a := s.ledger.active[piece]
		switch lacks := s.lacks(piece); {
		case a == nil && lacks:
			s.avail.Reopen(piece)
		case a == nil:
			s.avail.Close(piece)
		case !lacks && !a.dropping && a.arrived < a.needed:
			s.drop(a)
		}
	}
	s.starved = true
	s.refillStarved()
}

// resume: the store takes blocks again.
func (s *planner) resume() {
	s.paused = false
	s.starved = true
	s.refillStarved()
}

// count adds a peer's pieces to the availability, and uncount removes them.
// Peers that had every piece when they joined are counted separately.
func (s *planner) count(p *peer) {
	if p.cameSeed = p.seed(s.pieces); p.cameSeed {
		s.avail.JoinSeed()
	} else {
		s.avail.Join(p.have)
	}
}

// countPieces counts one by one the pieces of a peer that came with every one.
func (s *planner) countPieces(p *peer) {
	if p.cameSeed {
		p.cameSeed = false
		s.avail.LeaveSeed()
		s.avail.Join(p.have)
	}
}

func (s *planner) uncount(p *peer) {
	if p.cameSeed {
		s.avail.LeaveSeed()
	} else {
		s.avail.Leave(p.have)
	}
}

// arrived records a block from p, and says whether the block was requested from
// p and had not arrived from another peer.
func (s *planner) arrived(p *peer, b messages.Block) bool {
	a := s.ledger.arrive(p, b, s.cancel)
	if a == nil {
		return false
	}
	p.brought, p.stalled = true, false
	s.settle(a)
	return true
}

// cancel cancels the request for a block at a peer. It first notes whether the
// peer was silent, because the peer's next request begins a new measurement.
func (s *planner) cancel(p *peer, b messages.Block) {
	p.stalled = p.silent(s.now)
	s.orders.cancel(p, b)
}

// dropped: p will not send these blocks. Other blocks may now be requested from
// p, and these blocks from other peers.
func (s *planner) dropped(p *peer, blocks []messages.Block) {
	for _, b := range blocks {
		if a := s.ledger.giveBack(p, b); a != nil {
			s.settle(a)
		}
	}
	s.starved = true
	s.refillStarved()
}

// takeBack frees all blocks requested from p, and requests them from other
// peers.
func (s *planner) takeBack(p *peer) {
	p.ask = p.ask[:0]
	s.ledger.giveBackAll(p, s.settle)
	s.refillStarved()
}

// settle forgets a piece of which no block is requested or has arrived.
func (s *planner) settle(a *active) {
	if a.idle() {
		s.forget(a)
		s.reopen(a.piece)
	}
}

// finished: a piece is verified. It returns the peer that sent the piece, or
// nil if several peers sent parts.
func (s *planner) finished(piece uint32) (source *peer) {
	a := s.ledger.active[piece]
	if a == nil {
		s.avail.Close(piece)
		return nil
	}
	s.forget(a)
	return a.source
}

// startAgain has a whole piece downloaded again, after the store has discarded
// all its blocks.
func (s *planner) startAgain(piece uint32) {
	if a := s.ledger.active[piece]; a != nil {
		s.forget(a)
		s.reopen(piece)
	}
	s.starved = true
	s.refillStarved()
}

func (s *planner) forget(a *active) {
	s.ledger.finish(a)
	s.budget.forget(a)
}

func (s *planner) reopen(piece uint32) {
	if s.lacks(piece) {
		s.avail.Reopen(piece)
	}
}

// drop cancels all requests for a piece and has the store discard the blocks
// that have arrived. No block of the piece is requested until the store has
// done so.
func (s *planner) drop(a *active) {
	a.dropping, a.owner = true, nil
	s.budget.forget(a)
	s.ledger.withdraw(a, s.cancel)
	s.orders.drops = append(s.orders.drops, a.piece)
}

// timePassed looks again at all peers that can take requests: as time passes, a
// peer turns out to be slow, and its blocks are requested from others.
func (s *planner) timePassed() {
	s.budget.look()
	s.refillStarved()
	s.budget.stuck = false
}

// refillStarved refills all peers that can take requests, snubbed peers last.
// It begins with a random peer, so that none is always first.
func (s *planner) refillStarved() {
	if !s.starved {
		return
	}
	s.starved, s.budget.refused = false, false
	if len(s.serving) == 0 {
		return
	}
	first := s.rng.IntN(len(s.serving))
	for _, snubbed := range []bool{false, true} {
		for i := range s.serving {
			if p := s.serving[(first+i)%len(s.serving)]; p.snubbed == snubbed {
				s.refill(p)
			}
		}
	}
}

// refillRefused is refillStarved for the case that only memory has become free:
// it does nothing unless a request was refused for want of memory.
func (s *planner) refillRefused() {
	if s.budget.refused {
		s.refillStarved()
	}
}

// refill sends p as many requests as it can take: for free blocks first, then
// for blocks that are already requested from slower peers.
func (s *planner) refill(p *peer) {
	n := s.allowance(p)
	if n == 0 {
		return
	}
	if p.queue.len() == 0 {
		p.speed.begins(s.now)
	}
	given := 0
	if len(s.urgency.awaited) > 0 && p.parole == nil && !p.choked && !p.silent(s.now) {
		given = s.rescue(p, n)
	}
	given += s.assign(p, n-given)
	if given < n && !p.choked {
		if p.parole == nil && !p.silent(s.now) {
			given += s.takeOver(p, n-given)
		}
		s.starved = s.starved || given < n
	}
	if given > 0 {
		s.orders.touch(p)
	}
}

// allowance is how many blocks may be requested from p now.
func (s *planner) allowance(p *peer) int {
	if !s.known || s.paused || p.choked && len(p.allowed) == 0 || p.dismissed || p.gone || p.wanted == 0 {
		return 0
	}
	n := p.free()
	if !p.brought {
		n = min(n, s.advance(p))
	}
	if s.budget.stuck {
		n = min(n, advanceLeast)
	}
	return n
}

// advance is how many blocks are requested from p before its first block has
// arrived. All such peers share one part of the memory, and each is asked for
// at least one block.
func (s *planner) advance(p *peer) int {
	left := s.budget.advances()
	for _, q := range s.serving {
		if !q.brought {
			left -= q.queue.len()
		}
	}
	if p.queue.len() == 0 {
		return max(1, left)
	}
	return max(0, left)
}

// assign requests up to n free blocks from p.
func (s *planner) assign(p *peer, n int) (given int) {
	for given < n {
		a, from := s.choose(p)
		if a == nil {
			break
		}
		most := min(n-given, s.budget.left(a))
		if s.abreast.most > 0 && from == front {
			most = min(most, s.abreast.runLeft(a))
		}
		given += s.ledger.take(p, a, most, from)
	}
	return given
}
