package scheduler

import (
	"math/rand/v2"

	"kouzui/messages"
)

// planner decides who is asked for what: a function of where each block stands
// (the ledger), of what a peer has and can take, and of the memory (the
// budget). It is the only one that changes the ledger and the availability.
type planner struct {
	*moment
	*goal
	*roster
	orders  *orders
	blame   *blame
	rng     *rand.Rand
	picker  Picker
	avail   *Availability
	ledger  *ledger
	budget  budget
	slowest ranking
	paused  bool // the store takes nothing
	starved bool // somebody could be asked for more than there was to ask
}

func newPlanner(s *swarm, memory int64, picker string, rng *rand.Rand) *planner {
	n := &planner{
		moment: s.moment, goal: s.goal, roster: s.roster, orders: s.orders, blame: s.blame,
		rng:    rng,
		picker: pickerByName(picker),
		avail:  NewAvailability(s.pieces, rng),
		ledger: newLedger(s.geometry),
	}
	n.budget.ledger = n.ledger
	n.budget.setLimit(memory)
	return n
}

// open takes out what need not be fetched, as soon as that is known.
func (s *planner) open() {
	for piece := range uint32(s.pieces) {
		if !s.lacks(piece) {
			s.avail.Close(piece)
		}
	}
}

// setWanted makes what the goal says true of each piece: those that are lacking
// can be begun, and what is under way of others ends.
func (s *planner) setWanted() {
	for piece := range uint32(s.pieces) {
		a := s.ledger.active[piece]
		switch lacks := s.lacks(piece); {
		case a == nil && lacks:
			s.avail.Reopen(piece)
		case a == nil:
			s.avail.Close(piece)
		case !lacks && !a.dropping && a.arrived < len(a.cells):
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

// count adds what a peer has to the availability, and uncount takes it out.
// Peers that came with everything are counted apart.
func (s *planner) count(p *peer) {
	if p.cameSeed = p.seed(s.pieces); p.cameSeed {
		s.avail.JoinSeed()
	} else {
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

// arrived takes note that p brought a block, and says whether it was asked for
// and had not come from elsewhere.
func (s *planner) arrived(p *peer, b messages.Block) bool {
	a := s.ledger.arrive(p, b, s.cancel)
	if a == nil {
		return false
	}
	p.brought, p.stalled = true, false
	s.settle(a)
	return true
}

// cancel tells a peer that a block is not expected of it any more. Whether it
// was silent is noted, because its next request begins a new measurement.
func (s *planner) cancel(p *peer, b messages.Block) {
	p.stalled = p.silent(s.now)
	s.orders.cancel(p, b)
}

// dropped: p will not bring these blocks. It may be asked for others, and
// others for these.
func (s *planner) dropped(p *peer, blocks []messages.Block) {
	for _, b := range blocks {
		if a := s.ledger.giveBack(p, b); a != nil {
			s.settle(a)
		}
	}
	s.starved = true
	s.refillStarved()
}

// takeBack frees all that p was asked for, and gives it to others.
func (s *planner) takeBack(p *peer) {
	p.ask = p.ask[:0]
	s.ledger.giveBackAll(p, s.settle)
	s.refillStarved()
}

// settle forgets a piece of which nothing is under way any more.
func (s *planner) settle(a *active) {
	if a.idle() {
		s.forget(a)
		s.reopen(a.piece)
	}
}

// finished: a piece is verified. It returns the only peer that it came from,
// nil if there were several.
func (s *planner) finished(piece uint32) (source *peer) {
	a := s.ledger.active[piece]
	if a == nil {
		s.avail.Close(piece)
		return nil
	}
	s.forget(a)
	return a.source
}

// startAgain has a piece come again from its beginning, of which the store
// holds nothing any more.
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

// drop ends what is under way of a piece and has the store let go what has
// arrived. Nothing is asked for until it has.
func (s *planner) drop(a *active) {
	a.dropping, a.owner = true, nil
	s.budget.forget(a)
	s.ledger.withdraw(a, s.cancel)
	s.orders.drops = append(s.orders.drops, a.piece)
}

// timePassed does what time alone calls for: with time, slow peers turn out to
// be slow.
func (s *planner) timePassed() {
	s.budget.look()
	s.refillStarved()
	s.budget.stuck = false
}

// refillStarved refills all that can take requests, the snubbed last, beginning
// with anybody so that nobody is always first.
func (s *planner) refillStarved() {
	if !s.starved {
		return
	}
	s.starved, s.budget.refused = false, false
	if len(s.unchoked) == 0 {
		return
	}
	first := s.rng.IntN(len(s.unchoked))
	for _, snubbed := range []bool{false, true} {
		for i := range s.unchoked {
			if p := s.unchoked[(first+i)%len(s.unchoked)]; p.snubbed == snubbed {
				s.refill(p)
			}
		}
	}
}

// refillRefused is refillStarved for when memory is all that has come free.
func (s *planner) refillRefused() {
	if s.budget.refused {
		s.refillStarved()
	}
}

// refill gives p requests, if it can take some: for blocks of which nobody was
// asked, and when there are none, for blocks that slower peers are to bring.
func (s *planner) refill(p *peer) {
	n := s.allowance(p)
	if n == 0 {
		return
	}
	if p.queue.len() == 0 {
		p.speed.begins(s.now)
	}
	given := s.assign(p, n)
	if given < n && p.parole == nil && !p.stalled {
		given += s.takeOver(p, n-given)
	}
	if given < n {
		s.starved = true
	}
	if given > 0 {
		s.orders.touch(p)
	}
}

// allowance is for how many blocks p may be asked now.
func (s *planner) allowance(p *peer) int {
	if !s.known || s.paused || p.choked || p.dismissed || p.gone || p.wanted == 0 {
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

// advance is how much p is asked for before it has brought anything: all that
// have not share a part of the memory, and each has at least a block.
func (s *planner) advance(p *peer) int {
	left := s.budget.advances()
	for _, q := range s.unchoked {
		if !q.brought {
			left -= q.queue.len()
		}
	}
	if p.queue.len() == 0 {
		return max(1, left)
	}
	return max(0, left)
}

// assign gives p up to n blocks of which nobody was asked.
func (s *planner) assign(p *peer, n int) (given int) {
	for given < n {
		a, from := s.choose(p)
		if a == nil {
			break
		}
		given += s.ledger.take(p, a, min(n-given, s.budget.left(a)), from)
	}
	return given
}
