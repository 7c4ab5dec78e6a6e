package scheduler

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// swarm is the state of one torrent as the scheduler sees it. Most of its
// methods take in one message each and pass it to the parts concerned; speak
// then sends what results from it.
type swarm struct {
	*moment
	*goal
	*roster
	planner *planner
	blame   *blame
	haves   haves
	super   superSeed
	disk    disk
	totals  totals
	orders  *orders

	torrent   *metainfo.Torrent
	refs      messages.Refs
	out       messages.Outbox
	announced bool // haves were announced while the current message was handled
	reported  reported
	// saidUploadOnly is what peers were told of us last (BEP 21).
	saidUploadOnly bool
}

// disk is what the store has reported of its state.
type disk struct {
	checking messages.StoreChecking
	failure  *messages.StoreFailed // nil: the store takes blocks
	saved    *bitset.BitSet        // pieces that are synced to disk, as the store said last
	finished bool                  // all wanted pieces are in saved, so no rename is to come
}

// totals of this run, in bytes but for corrupt.
type totals struct {
	downloaded       int64 // blocks that arrived as requested, each counted once
	repeated         int64 // blocks that had arrived from another peer
	corrupt          int   // pieces
	lastArrival      time.Time
	uploaded, wasted int64 // by peers that have disconnected
}

func newSwarm(g geometry, wanted *bitset.BitSet, memory int64, picker Picker, rng *rand.Rand) *swarm {
	s := &swarm{moment: &moment{}, goal: newGoal(g, wanted), roster: newRoster(), orders: &orders{}}
	s.blame = &blame{
		moment: s.moment, goal: s.goal, roster: s.roster, orders: s.orders,
		suspects: map[uint32]bool{}, hosts: hosts{},
	}
	s.disk.saved = bitset.New(uint(g.pieces))
	s.planner = newPlanner(s, memory, picker, rng)
	return s
}

func (s *swarm) setMemory(bytes int64) {
	s.planner.budget.setLimit(bytes)
	s.planner.refillStarved()
}

// storeReady begins the download. Peers that connected before it are told now
// which pieces we have.
func (s *swarm) storeReady(m *messages.StoreReady) {
	if s.known {
		return
	}
	s.goal.begin(m.Have)
	if m.Complete {
		s.storeFinished(m.Have.Clone())
	}
	s.planner.open()
	s.beginSuperSeeding(s.planner.rng)
	for _, p := range s.peers {
		s.startSession(p)
	}
	s.tellComplete()
}

// setWanted changes which pieces are downloaded. Requests for other pieces are
// cancelled, and blocks of them that have arrived are dropped.
func (s *swarm) setWanted(m *messages.SetWanted) {
	s.goal.want(m.Pieces)
	s.planner.urgency.setClasses(m.High, m.Low)
	s.disk.finished = s.within(s.disk.saved)
	for _, p := range s.peers {
		p.wanted = s.interest(p.have)
		s.orders.touch(p)
	}
	if s.known {
		s.planner.setWanted()
		s.dismissSeeds()
		s.tellComplete()
	}
}

// peerReady adds a peer. A peer that was added before has a new link, and
// starts anew.
func (s *swarm) peerReady(m *messages.PeerReady) {
	if old := s.byKey[m.Key]; old != nil {
		s.leave(old)
	}
	p := &peer{PeerReady: m, hash: hashOf(m.ID), choked: true, useful: s.now, have: bitset.New(uint(s.pieces)), told: s.haves.end()}
	s.blame.arrives(p)
	s.roster.add(p)
	if len(s.peers) == 1 {
		s.super.moved = s.now // before, nobody waited for anything
	}
	if s.known {
		s.startSession(p)
	}
}

func (s *swarm) startSession(p *peer) {
	p.told, p.uploadOnly = s.haves.end(), s.uploadOnly()
	s.out.Send(p.Peer, &messages.StartSession{Link: p.Link, Torrent: s.torrent, Have: s.greets(p), SuperSeed: s.super.active, UploadOnly: p.uploadOnly})
}

// leave removes a peer and takes back all requests to it.
func (s *swarm) leave(p *peer) {
	p.gone = true
	s.planner.uncount(p)
	s.roster.remove(p)
	s.totals.uploaded += p.rates.UpTotal
	s.totals.wasted += p.rates.WastedTotal
	s.blame.leaves(p)
	s.superLeft(p)
	s.planner.takeBack(p)
	p.own = nil
}

// peerBitfield adds a bitfield to what is known of a peer.
func (s *swarm) peerBitfield(p *peer, have *bitset.BitSet) {
	s.planner.uncount(p)
	have.InPlaceUnion(p.have)
	p.have, p.pieces = have, int(have.Count())
	p.wanted = s.interest(have)
	s.planner.count(p)
	s.hasMore(p)
}

// peerHave takes in pieces that the other side announced.
func (s *swarm) peerHave(p *peer, pieces []uint32) {
	for _, piece := range pieces {
		if int(piece) >= s.pieces || p.has(piece) {
			continue
		}
		p.have.Set(uint(piece))
		p.pieces++
		s.planner.avail.Rise(piece)
		if s.lacks(piece) {
			p.wanted++
		}
	}
	s.hasMore(p)
}

// peerDontHave takes in pieces that the other side has lost. What is asked of
// them stays asked: the peer reports what comes of it.
func (s *swarm) peerDontHave(p *peer, pieces []uint32) {
	lost := false
	for _, piece := range pieces {
		if !p.has(piece) {
			continue
		}
		s.planner.countPieces(p)
		lost = true
		p.have.Clear(uint(piece))
		p.pieces--
		s.planner.avail.Fall(piece)
		if s.lacks(piece) {
			p.wanted--
		}
	}
	if lost {
		s.orders.touch(p)
		s.planner.refillStarved() // what was left to this peer is not any more
	}
}

func (s *swarm) hasMore(p *peer) {
	s.orders.touch(p)
	s.superSaw(p)
	s.dismissSeed(p)
	s.planner.refill(p)
}

// dismissSeed ends the connection with a seed, or with a peer that wants no
// more pieces (BEP 21), when we have all wanted pieces: neither side needs the
// other.
func (s *swarm) dismissSeed(p *peer) {
	if s.complete() && (p.seed(s.pieces) || p.rates.Flags.UploadOnly) {
		s.orders.dismiss(p, messages.GoneUseless)
	}
}

func (s *swarm) dismissSeeds() {
	if s.complete() {
		for _, p := range s.peers {
			s.dismissSeed(p)
		}
	}
}

func (s *swarm) peerChoking(p *peer, m *messages.PeerChoking) {
	p.window, p.answers = m.Window, m.Answers
	served := p.serves
	p.choked = m.Choking
	s.review(p)
	if p.serves && !served {
		s.recount(p)
	}
	switch {
	case !p.choked:
		s.planner.refill(p)
	case !p.answers:
		s.planner.takeBack(p)
	}
}

// peerAllowed takes in pieces that p may be asked for while it chokes us.
func (s *swarm) peerAllowed(p *peer, m *messages.PeerAllowed) {
	p.window = m.Window
	p.allowed = append(p.allowed, m.Pieces...)
	p.answers = true // it speaks the fast extension
	served := p.serves
	s.review(p)
	if p.serves && !served {
		s.recount(p)
	}
	s.planner.refill(p)
}

func (s *swarm) peerRates(p *peer, m *messages.PeerRates) {
	if m.UpTotal > p.rates.UpTotal {
		p.useful, s.super.moved = s.now, s.now
	}
	p.rates = *m
	if m.Flags.UploadOnly {
		s.dismissSeed(p)
	}
	s.superSent(p)
}

func (s *swarm) blocksArrived(p *peer, m *messages.BlocksArrived) {
	p.window, p.snubbed, p.useful = m.Window, false, s.now
	s.totals.lastArrival = s.now
	bytes := 0
	for _, b := range m.Blocks {
		bytes += int(b.Length)
		if s.planner.arrived(p, b) {
			s.totals.downloaded += int64(b.Length)
		} else {
			s.totals.repeated += int64(b.Length)
		}
	}
	p.speed.arrived(bytes, s.now)
	s.review(p)
	s.planner.refill(p)
}

func (s *swarm) requestsDropped(p *peer, m *messages.RequestsDropped) {
	p.window, p.snubbed = m.Window, m.Snubbed
	if p.choked {
		p.allowed = slices.DeleteFunc(p.allowed, func(piece uint32) bool {
			return slices.ContainsFunc(m.Blocks, func(b messages.Block) bool { return b.Piece == piece })
		})
	}
	s.planner.dropped(p, m.Blocks)
	s.review(p)
}

func (s *swarm) pieceVerified(piece uint32) {
	if s.has(piece) {
		return
	}
	lacked := s.lacks(piece)
	s.goal.add(piece)
	s.haves.add(piece)
	s.blame.right(piece)
	source := s.planner.finished(piece)
	if lacked {
		s.uncountWanted(piece)
	}
	s.dismissSeeds()
	s.planner.refillRefused()
	if source != nil {
		s.thank(source, piece)
	}
	if source != nil && s.blame.credit(source) {
		s.planner.refill(source)
	}
	if s.complete() {
		s.tellComplete()
	}
}

// uncountWanted subtracts a piece from the number of wanted pieces of each peer
// that has it. In a crowd it skips the peers that bring nothing, which may be
// thousands, and leaves them to recount.
func (s *swarm) uncountWanted(piece uint32) {
	peers := s.peers
	if len(peers) > crowd {
		peers = s.serving
	}
	for _, p := range peers {
		if !p.has(piece) {
			continue
		}
		if p.wanted--; p.wanted == 0 {
			s.orders.touch(p)
		}
	}
}

// recount counts the wanted pieces that p has. In a crowd it is called when p
// is told of our pieces, and when p unchokes us.
func (s *swarm) recount(p *peer) {
	if p.wanted == 0 {
		return
	}
	if p.wanted = s.interest(p.have); p.wanted == 0 {
		s.orders.touch(p)
	}
}

// pieceCorrupt has the whole piece downloaded again from one peer, so that
// another failure proves that this peer sends corrupt data.
func (s *swarm) pieceCorrupt(m *messages.PieceCorrupt) {
	s.totals.corrupt++
	s.blame.corrupt(m)
	s.planner.startAgain(m.Piece)
}

// pieceDropped: the store has discarded all blocks of the piece.
func (s *swarm) pieceDropped(piece uint32) {
	if a := s.planner.ledger.active[piece]; a != nil && a.dropping {
		s.planner.startAgain(piece)
	}
}

func (s *swarm) blocksSpilled(m *messages.BlocksSpilled) {
	s.planner.ledger.spill(m.Piece, m.Blocks)
	s.planner.refillRefused()
}

func (s *swarm) storeFailed(m *messages.StoreFailed) {
	s.disk.failure = m
	s.planner.paused = true
}

func (s *swarm) storeRecovered() {
	s.disk.failure = nil
	s.planner.resume()
}

// storeFinished: these pieces are safe. If more is wanted by now than the store
// knew, the store will say so again.
func (s *swarm) storeFinished(have *bitset.BitSet) {
	s.disk.saved = have
	s.disk.finished = s.within(have)
}

// tellComplete tells the choker whether the download is complete, and peers
// whether to dial.
func (s *swarm) tellComplete() {
	s.out.Send(s.refs.Choker, &messages.SeedingChanged{Seeding: s.complete()})
	s.out.Send(s.refs.Peers, &messages.SetDialing{Dial: s.known})
}
