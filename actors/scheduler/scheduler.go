// Package scheduler decides what a torrent asks of which peer.
//
// One scheduler serves one torrent. Peers tell it what the other sides have,
// whether they let us download, and which blocks came; the store tells it which
// pieces are verified. It answers with coordinates of blocks and never sees
// their bytes (BEP 3).
//
// The shell in this file takes the messages, and sends what the core wants
// sent. The core is a swarm, and makes all decisions:
//
//	swarm         takes in each message
//	goal          which pieces are wanted, and which are there
//	roster        the connected peers
//	availability  which pieces are rare
//	picker        which piece a peer begins
//	share         which of equally rare pieces are ours to begin, which others'
//	ledger        the state of each block, and the requests to each peer
//	active        the same for one piece
//	budget        how much memory blocks may take
//	assign        which peer is asked next, for how many blocks
//	choose        which piece these blocks are of
//	endgame       what is taken over from slow peers
//	blame         which peers sent corrupt data
//	parole        how other peers of their hosts prove themselves
//	webseed       what is different about a peer that is a web seed
//	evict         which peer is disconnected when others wait for a slot
//	have          when each peer is told of our new pieces
//	uploadonly    whether peers are told that we want no more pieces
//	superseed     which pieces each peer is told of while no other has them
//	progress      how far the download is, and why it stalls
//	pace          how soon to act even if no message comes
//	orders        the messages that result, to peers and others
package scheduler

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// Config is what a scheduler is made of.
type Config struct {
	World   *world.World
	Refs    messages.Refs
	Self    [20]byte // our peer id
	Torrent *metainfo.Torrent
	Wanted  *bitset.BitSet // pieces, until SetWanted; nil: all
	Memory  int64          // bytes of payload at a time, until SetMemory
	Picker  string         // one of Pickers; empty: its default
	Rules   string         // one of Requests; empty: its default
	// SuperSeed is when a complete torrent is super-seeded; empty: SuperSeedAuto.
	SuperSeed messages.SuperSeeding
}

// scheduler is the actor.
type scheduler struct {
	Config
	*swarm
	ticks     supervise.Timer
	pace      time.Duration   // that ticks was set for
	haveTimer supervise.Timer // not set: peers have been told of all pieces
}

// ticked and havesDue: the scheduler to itself, by timers.
type (
	ticked   struct{}
	havesDue struct{}
)

// New returns a scheduler that is yet to be started.
func New(cfg Config) actor.Actor { return &scheduler{Config: cfg} }

// Receive takes one message in, and then sends what follows from it.
func (s *scheduler) Receive(c actor.Context) {
	if _, ok := c.Message().(*actor.Started); ok {
		s.start(c)
	}
	if s.swarm == nil {
		return
	}
	switch c.Message().(type) {
	case *actor.Restarting, *actor.Stopping:
		s.stop()
		s.report() // the last counts
	default:
		s.now = s.World.Clock.Now()
		s.handle(c)
		s.remarkBans(c)
		s.speak()
		s.keepHaveTimer(c)
		s.keepPace(c)
	}
	s.out.Flush(c.Send)
}

func (s *scheduler) handle(c actor.Context) {
	switch m := c.Message().(type) {
	case *messages.SetMemory:
		s.planHashing(m.Bytes)
		s.setMemory(m.Bytes)
	case *messages.SetWanted:
		s.setWanted(m)
	case *messages.SetUrgent:
		s.planner.setAwaited(m.Pieces)

	case *messages.StoreChecking:
		s.disk.checking = *m
	case *messages.StoreReady:
		s.storeReady(m)
	case *messages.PieceVerified:
		supervise.Remark(c, "piece_verified", event.Number("piece", m.Piece))
		s.pieceVerified(m.Piece)
	case *messages.PieceCorrupt:
		supervise.Remark(c, "piece_corrupt", event.Number("piece", m.Piece), event.Number("peers", len(m.Contributors)))
		s.pieceCorrupt(m)
	case *messages.BlameProven:
		s.blame.proven(m)
	case *messages.PieceDropped:
		s.pieceDropped(m.Piece)
	case *messages.BlocksSpilled:
		s.blocksSpilled(m)
	case *messages.StoreFailed:
		s.storeFailed(m)
	case *messages.StoreRecovered:
		s.storeRecovered()
	case *messages.StoreFinished:
		s.storeFinished(m.Have)

	case *messages.PeerReady:
		c.Watch(m.Peer)
		s.peerReady(m)
	case *messages.PeerGone:
		if p := s.byKey[m.Key]; p != nil && p.Link == m.Link {
			c.Unwatch(p.Peer)
			s.leave(p)
		}
	case *actor.Terminated:
		s.terminated(m.Who)
	case *messages.PeerBitfield:
		s.with(m.Key, func(p *peer) { s.peerBitfield(p, m.Have) })
	case *messages.PeerHave:
		s.with(m.Key, func(p *peer) { s.peerHave(p, m.Pieces) })
	case *messages.PeerDontHave:
		s.with(m.Key, func(p *peer) { s.peerDontHave(p, m.Pieces) })
	case *messages.PeerAllowed:
		s.with(m.Key, func(p *peer) { s.peerAllowed(p, m) })
	case *messages.PeerChoking:
		s.with(m.Key, func(p *peer) { s.peerChoking(p, m) })
	case *messages.BlocksArrived:
		s.with(m.Key, func(p *peer) { s.blocksArrived(p, m) })
	case *messages.RequestsDropped:
		s.with(m.Key, func(p *peer) { s.requestsDropped(p, m) })
	case *messages.PeerRates:
		s.with(m.Key, func(p *peer) { s.peerRates(p, m) })

	case *messages.ReportRates:
		s.tellComplete()
	case *messages.EvictIdlePeer:
		s.evictIdle()
	case *messages.QueryPeers:
		m.Reply(s.infos())
	case *messages.CloseConnections:
		s.out.Send(m.ReplyTo, &messages.ConnectionsClosed{Last: *s.progress()})

	case *ticked:
		s.timePassed()
	case *havesDue:
		s.announceHaves()
	}
}

// with calls f for the peer with that key, and does nothing if that peer has
// gone.
func (s *scheduler) with(key messages.PeerKey, f func(*peer)) {
	if p := s.byKey[key]; p != nil {
		f(p)
	}
}

func (s *scheduler) start(c actor.Context) {
	t := s.Torrent
	picker, err := Pickers.Make(s.Picker)
	if err != nil {
		supervise.Fail(err)
	}
	s.swarm = newSwarm(newGeometry(t), s.Wanted, s.Memory, picker, s.World.Chance.Source(c.Self().Id))
	s.planHashing(s.Memory)
	if s.planner.rules, err = Requests.Make(s.Rules); err != nil {
		supervise.Fail(err)
	}
	s.planner.share.self = hashOf(s.Self)
	s.super.when = s.SuperSeed
	s.torrent, s.refs = t, s.Refs
	s.now = s.World.Clock.Now()
	s.reported.at = s.now
}

func (s *scheduler) planHashing(memory int64) {
	s.planner.abreast.setPlan(s.World.Machine.PlanHashing(memory, s.Torrent.PieceLength))
}

func (s *scheduler) stop() {
	s.ticks.Stop()
	s.haveTimer.Stop()
}

func (s *scheduler) terminated(who *actor.PID) {
	for _, p := range s.peers {
		if p.Peer.Equal(who) {
			s.leave(p)
			return
		}
	}
}

// remarkBans records in the trace which peers are banned, and why.
func (s *scheduler) remarkBans(c actor.Context) {
	for _, ban := range s.orders.bans {
		supervise.Remark(c, "ban", event.Text("addr", ban.Addr.String()), event.Text("why", ban.Reason))
	}
}

// keepHaveTimer sets the timer for pieces of which peers are still to be told.
func (s *scheduler) keepHaveTimer(c actor.Context) {
	if s.announced {
		s.haveTimer.Stop()
	}
	s.announced = false
	if len(s.haves.pieces) > 0 && !s.haveTimer.IsSet() {
		s.haveTimer.SetAfter(c, s.World.Clock, haveWait, &havesDue{})
	}
}

// keepPace sets the timer, and sets it again when it would come too late. All
// torrents tick at the same moments, so that many that idle wake the processor
// once.
func (s *scheduler) keepPace(c actor.Context) {
	pace := s.wantedPace()
	if s.ticks.IsSet() && s.pace <= pace {
		return
	}
	s.pace = pace
	s.ticks.SetAtNext(c, s.World.Clock, pace, &ticked{})
}
