package scheduler

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
)

// swarm is the state of one torrent as the scheduler sees it, and all of its
// decisions: each method takes in one message. What is to be said to others
// gathers in dirty, bans, drops and news, for the shell to send.
type swarm struct {
	geometry
	picker Picker
	rng    *rand.Rand
	avail  *Availability
	ledger *ledger
	now    time.Time // of the current message

	ready    bool // the store knows what is there
	stored   bool // all is under its final name
	checking messages.StoreChecking
	have     *bitset.BitSet
	owned    int // pieces in have
	failure  *messages.StoreFailed

	peers []*peer
	byKey map[messages.PeerKey]*peer
	open  []*peer // those that let us download
	past  past

	limit   int     // blocks of memory that may be in use
	exempt  *active // the piece that may go on beyond limit
	stuck   bool    // nothing is under way, and it is used up
	starved bool    // somebody could be asked for more than there was to ask
	blocked bool    // the limit was a reason for it

	// suspect pieces were corrupt, in parts from several peers, and are not
	// right yet.
	suspect map[uint32]bool
	hosts   map[netip.Addr]*host // from which corrupt data came

	totals totals

	dirty []*peer
	bans  []*messages.BanAddress
	drops []uint32 // pieces
	news  news

	slow   []*peer // see slowFirst
	slowAt time.Time
}

// totals of this run, in bytes but for corrupt.
type totals struct {
	downloaded  int64 // blocks that arrived as asked, each once
	repeated    int64 // blocks that had come from elsewhere
	corrupt     int   // pieces
	lastArrival time.Time
}

func newSwarm(g geometry, memory int64, picker string, rng *rand.Rand) *swarm {
	s := &swarm{
		geometry: g,
		picker:   pickerByName(picker),
		rng:      rng,
		avail:    NewAvailability(g.pieces, rng),
		ledger:   newLedger(g),
		have:     bitset.New(uint(g.pieces)),
		byKey:    map[messages.PeerKey]*peer{},
		suspect:  map[uint32]bool{},
		hosts:    map[netip.Addr]*host{},
	}
	s.setMemory(memory)
	return s
}

func (s *swarm) complete() bool { return s.ready && s.owned == s.pieces }

// setMemory counts every block as a whole one: that is what its buffer takes.
func (s *swarm) setMemory(bytes int64) {
	s.limit = max(1, int(bytes/BlockSize))
	s.refillStarved()
}

// storeReady begins the work; peers that came before are the shell's to welcome.
func (s *swarm) storeReady(m *messages.StoreReady) {
	s.ready, s.stored = true, m.Complete
	s.have = m.Have
	s.owned = int(m.Have.Count())
	for piece := range m.Have.EachSet() {
		s.avail.Close(uint32(piece))
	}
}

// join adds a peer. One that is known already has a new link, and starts anew.
func (s *swarm) join(m *messages.PeerReady) *peer {
	if old := s.byKey[m.Key]; old != nil {
		s.leave(old)
	}
	p := &peer{
		PeerReady: m, place: len(s.peers), choked: true, useful: s.now, have: bitset.New(uint(s.pieces)), heard: s.news.end(),
	}
	p.parole = s.hosts[messages.HostOf(m.Addr.Addr())]
	s.peers = append(s.peers, p)
	s.byKey[m.Key] = p
	return p
}

// leave removes a peer and takes back all that it was asked for.
func (s *swarm) leave(p *peer) {
	p.gone = true
	s.leaveCount(p)
	last := len(s.peers) - 1
	s.peers[p.place] = s.peers[last]
	s.peers[p.place].place = p.place
	s.peers[last] = nil
	s.peers = s.peers[:last]
	delete(s.byKey, p.Key)
	s.choke(p, true)
	s.past.add(p)
	s.takeBack(p)
	p.own = nil
}

func (s *swarm) leaveCount(p *peer) {
	if p.came {
		s.avail.LeaveSeed()
	} else {
		s.avail.Leave(p.have)
	}
}

// takeBack frees all that p was asked for and gives it to others.
func (s *swarm) takeBack(p *peer) {
	p.ask = p.ask[:0]
	s.ledger.giveBackAll(p, s.settle)
	s.refillStarved()
}

// settle forgets a piece of which nothing is under way any more.
func (s *swarm) settle(a *active) {
	if a.idle() {
		s.finish(a)
		s.avail.Reopen(a.piece)
	}
}

func (s *swarm) finish(a *active) {
	s.ledger.finish(a)
	if s.exempt == a {
		s.exempt = nil
	}
}

// peerHas takes in a bitfield.
func (s *swarm) peerBitfield(p *peer, have *bitset.BitSet) {
	s.leaveCount(p)
	have.InPlaceUnion(p.have)
	p.have, p.pieces = have, int(have.Count())
	p.came = p.seed(s.pieces)
	p.wanted = int(have.DifferenceCardinality(s.have))
	if p.came {
		s.avail.JoinSeed()
	} else {
		s.avail.Join(have)
	}
	s.touch(p)
	s.dismissSeed(p)
	s.refill(p)
}

// peerGot takes in pieces that the other side announced.
func (s *swarm) peerHave(p *peer, pieces []uint32) {
	for _, piece := range pieces {
		if int(piece) >= s.pieces || p.have.Test(uint(piece)) {
			continue
		}
		p.have.Set(uint(piece))
		p.pieces++
		s.avail.Rise(piece)
		if !s.have.Test(uint(piece)) {
			p.wanted++
		}
	}
	s.touch(p)
	s.dismissSeed(p)
	s.refill(p)
}

// dismissSeed ends a connection over which nothing can flow any more.
func (s *swarm) dismissSeed(p *peer) {
	if s.complete() && p.seed(s.pieces) {
		s.dismiss(p, messages.GoneUseless)
	}
}

func (s *swarm) dismiss(p *peer, reason messages.GoneReason) {
	s.touch(p)
	p.dismissed, p.dismissal = true, reason
}

func (s *swarm) peerChoking(p *peer, m *messages.PeerChoking) {
	p.window = m.Window
	s.choke(p, m.Choking)
	if p.choked {
		s.takeBack(p)
	} else {
		s.refill(p)
	}
}

// choke notes whether p lets us download. Of thousands it may be a few.
func (s *swarm) choke(p *peer, choked bool) {
	if p.choked == choked {
		return
	}
	p.choked = choked
	if !choked {
		s.recount(p)
		s.open = append(s.open, p)
		return
	}
	i, last := slices.Index(s.open, p), len(s.open)-1
	s.open[i], s.open[last] = s.open[last], nil
	s.open = s.open[:last]
}

func (s *swarm) blocksArrived(p *peer, m *messages.BlocksArrived) {
	p.window, p.snubbed, p.useful = m.Window, false, s.now
	s.totals.lastArrival = s.now
	bytes := 0
	for _, b := range m.Blocks {
		bytes += int(b.Length)
		a := s.ledger.arrive(p, b, s.cancel)
		if a == nil {
			s.totals.repeated += int64(b.Length)
			continue
		}
		p.brought, p.fell = true, false
		s.totals.downloaded += int64(b.Length)
		s.settle(a)
	}
	p.speed.arrived(bytes, s.now)
	s.refill(p)
}

// cancel tells a peer that a block came from elsewhere.
func (s *swarm) cancel(p *peer, b messages.Block) {
	p.fell = p.silent(s.now)
	// It may not have been told to ask yet.
	if i := slices.Index(p.ask, b); i >= 0 {
		p.ask = slices.Delete(p.ask, i, i+1)
		return
	}
	p.cancel = append(p.cancel, b)
	s.touch(p)
}

func (s *swarm) requestsDropped(p *peer, m *messages.RequestsDropped) {
	p.window, p.snubbed = m.Window, m.Snubbed
	for _, b := range m.Blocks {
		if a := s.ledger.giveBack(p, b); a != nil {
			s.settle(a)
		}
	}
	s.starved = true // p itself is, and what it had may serve others first
	s.refillStarved()
}

func (s *swarm) pieceVerified(piece uint32) {
	if s.have.Test(uint(piece)) {
		return
	}
	s.have.Set(uint(piece))
	s.owned++
	s.news.add(piece)
	delete(s.suspect, piece)
	a := s.ledger.active[piece]
	if a != nil {
		s.finish(a)
		defer s.credit(a.sole)
	} else {
		s.avail.Close(piece)
	}
	count := s.peers
	if len(s.peers) > newsCrowd {
		count = s.open
	}
	for _, p := range count {
		if p.have.Test(uint(piece)) {
			if p.wanted--; p.wanted == 0 {
				s.touch(p)
			}
		}
	}
	if s.complete() {
		for _, p := range s.peers {
			s.dismissSeed(p)
		}
	}
	s.refillBlocked()
}

// recount counts what we want of p. In a crowd that is done for those that choke
// us only when they hear of the news: at each piece it would be a look at
// thousands.
func (s *swarm) recount(p *peer) {
	if p.wanted == 0 {
		return
	}
	if p.wanted = int(p.have.DifferenceCardinality(s.have)); p.wanted == 0 {
		s.touch(p)
	}
}

// restart makes a piece come again from the beginning.
func (s *swarm) restart(piece uint32) {
	if a := s.ledger.active[piece]; a != nil {
		s.finish(a)
		s.avail.Reopen(piece)
	}
	s.starved = true
	s.refillStarved()
}

func (s *swarm) blocksSpilled(m *messages.BlocksSpilled) {
	s.ledger.spill(m.Piece, m.Blocks)
	s.refillBlocked()
}

func (s *swarm) storeFailed(m *messages.StoreFailed) {
	s.failure = m
	for _, b := range m.Lost {
		if a := s.ledger.lose(b); a != nil {
			s.settle(a)
		}
	}
}

func (s *swarm) storeRecovered() {
	s.failure = nil
	s.starved = true
	s.refillStarved()
}

// touch has the shell look at what is to be said to p. After its dismissal
// nothing is.
func (s *swarm) touch(p *peer) {
	if !p.dirty && !p.gone && !p.dismissed {
		p.dirty = true
		s.dirty = append(s.dirty, p)
	}
}
