// Package scheduler decides what a torrent asks of which peer.
//
// One scheduler serves one torrent. Peers tell it what the other sides have,
// whether they let us download, and which blocks came; the store tells it which
// pieces are verified. It answers with coordinates of blocks and never sees
// their bytes (BEP 3).
//
// The shell in this file takes the messages and sends the answers; all
// decisions are made by the plain Go of the other files:
//
//	availability  which pieces are rare
//	picker        which piece a peer begins
//	ledger        where each block stands, who was asked for what
//	assign        who is asked next, within the memory budget
//	endgame       what is taken over from slow peers
//	blame         who sent what was corrupt
//	room          who goes when others wait
//	news          who is told of our pieces when
//	progress      how far it is, and why nothing moves
package scheduler

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

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
	Torrent *metainfo.Torrent
	Memory  int64  // bytes of payload at a time, until SetMemory
	Picker  string // one of Pickers; empty: DefaultPicker
}

const (
	// tick is how often peers that wait are looked at: it is what a slow peer can
	// delay the end by. report is how often Progress comes, and rest how often
	// where nothing can happen: all is there, and nobody is connected.
	tick   = 250 * time.Millisecond
	report = time.Second
	rest   = 10 * time.Second
)

// Scheduler is the actor.
type Scheduler struct {
	Config
	*swarm
	told      messages.State // in the last Progress
	reported  time.Time
	timer     world.Timer
	pace      time.Duration // that the timer was set for
	newsTimer world.Timer   // nil when nothing is to be announced
}

// ticked and newsDue: the scheduler to itself, by timers.
type (
	ticked  struct{}
	newsDue struct{}
)

// New returns a scheduler that is yet to be started.
func New(cfg Config) actor.Actor { return &Scheduler{Config: cfg} }

// Receive takes one message in, and then says to each peer what follows from
// it.
func (s *Scheduler) Receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Started:
		s.start(c)
	case *actor.Restarting, *actor.Stopping:
		s.stop()
		if s.swarm != nil {
			s.report(c) // the last counts
		}
		return
	}
	if s.swarm == nil {
		return
	}
	s.now = s.World.Clock.Now()
	s.handle(c)
	s.speak(c)
}

func (s *Scheduler) handle(c actor.Context) {
	switch m := c.Message().(type) {
	case *messages.SetMemory:
		s.setMemory(m.Bytes)

	case *messages.StoreChecking:
		s.checking = *m
	case *messages.StoreReady:
		s.open(c, m)
	case *messages.PieceVerified:
		supervise.Remark(c, "piece_verified", event.Number("piece", m.Piece))
		if s.pieceVerified(m.Piece); s.complete() {
			s.tellNeeds(c)
		}
	case *messages.PieceCorrupt:
		supervise.Remark(c, "piece_corrupt", event.Number("piece", m.Piece), event.Number("peers", len(m.Contributors)))
		s.pieceCorrupt(m)
	case *messages.BlameProven:
		s.proofOfBlame(m)
	case *messages.PieceDropped:
		s.pieceDropped(m.Piece)
	case *messages.BlocksSpilled:
		s.blocksSpilled(m)
	case *messages.StoreFailed:
		s.storeFailed(m)
	case *messages.StoreRecovered:
		s.storeRecovered()
	case *messages.StoreFinished:
		s.stored = true

	case *messages.PeerReady:
		s.meet(c, m)
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
	case *messages.PeerChoking:
		s.with(m.Key, func(p *peer) { s.peerChoking(p, m) })
	case *messages.BlocksArrived:
		s.with(m.Key, func(p *peer) { s.blocksArrived(p, m) })
	case *messages.RequestsDropped:
		s.with(m.Key, func(p *peer) { s.requestsDropped(p, m) })
	case *messages.ReportRates:
		s.tellNeeds(c)
	case *messages.PeerRates:
		s.with(m.Key, func(p *peer) { s.peerRates(p, m) })
	case *messages.EvictIdlePeer:
		s.makeRoom()
	case *messages.QueryPeers:
		m.Reply(s.infos())
	case *messages.CloseConnections:
		c.Send(m.ReplyTo, &messages.ConnectionsClosed{Last: *s.named(s.progress())})

	case *ticked:
		s.tick(c)
	case *newsDue:
		s.announce(c)
	}
}

// with calls f with the peer of that key. One that is gone is not listened to.
func (s *Scheduler) with(key messages.PeerKey, f func(*peer)) {
	if p := s.byKey[key]; p != nil {
		f(p)
	}
}

func (s *Scheduler) start(c actor.Context) {
	t := s.Torrent
	g := geometry{length: t.Length, pieceLength: t.PieceLength, pieces: t.PieceCount()}
	s.swarm = newSwarm(g, s.Memory, s.Picker, s.World.Chance.Source(c.Self().Id))
	s.now = s.World.Clock.Now()
	s.reported = s.now
	s.keepPace(c)
}

func (s *Scheduler) stop() {
	for _, t := range []world.Timer{s.timer, s.newsTimer} {
		if t != nil {
			t.Stop()
		}
	}
}

// open begins when the store does: peers that came before are welcomed now.
func (s *Scheduler) open(c actor.Context, m *messages.StoreReady) {
	if s.ready {
		return
	}
	s.storeReady(m)
	for _, p := range s.peers {
		s.welcome(c, p)
	}
	s.tellNeeds(c)
}

func (s *Scheduler) meet(c actor.Context, m *messages.PeerReady) {
	c.Watch(m.Peer)
	p := s.join(m)
	if s.ready {
		s.welcome(c, p)
	}
}

func (s *Scheduler) welcome(c actor.Context, p *peer) {
	p.heard = s.news.end()
	c.Send(p.Peer, &messages.StartSession{Link: p.Link, Torrent: s.Torrent, Have: s.have.Clone()})
}

func (s *Scheduler) terminated(who *actor.PID) {
	for _, p := range s.peers {
		if p.Peer.Equal(who) {
			s.leave(p)
			return
		}
	}
}

// tellNeeds tells those who behave differently once everything is there.
func (s *Scheduler) tellNeeds(c actor.Context) {
	c.Send(s.Refs.Choker, &messages.SeedingChanged{Seeding: s.complete()})
	c.Send(s.Refs.Peers, &messages.SetDialing{Dial: s.ready})
}

// tick looks at peers that wait: with time, slow ones turn out to be slow.
func (s *Scheduler) tick(c actor.Context) {
	s.timer, s.pace = nil, 0
	s.timePassed()
	// Not by Truncate alone: it takes the monotonic reading away, and then it is
	// the date that counts, which may jump.
	second := s.now.Add(s.now.Truncate(report).Sub(s.now))
	if second.After(s.reported) {
		s.reported = second
		s.report(c)
		s.tellNeeds(c) // again: a choker or peers that was restarted does not know
	}
}

// wantedPace is how soon time alone may make a difference.
func (s *Scheduler) wantedPace() time.Duration {
	switch {
	case s.starved && len(s.peers) > 0:
		return tick
	case s.complete() && s.stored && len(s.peers) == 0:
		return rest
	}
	return report
}

// keepPace sets the timer, and sets it again when it would come too late. All
// torrents tick at the same moments, so that many that idle wake the processor
// once.
func (s *Scheduler) keepPace(c actor.Context) {
	pace := s.wantedPace()
	if s.timer != nil && s.pace <= pace {
		return
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	s.pace = pace
	s.timer = supervise.SendAtNext(c, s.World.Clock, pace, &ticked{})
}

// speak sends what the message that was handled has led to.
func (s *Scheduler) speak(c actor.Context) {
	for i, ban := range s.bans {
		c.Send(s.Refs.Peers, ban)
		c.Send(s.Refs.Torrent, &messages.PeerBanned{Addr: ban.Addr, Reason: ban.Reason})
		supervise.Remark(c, "ban", event.Text("addr", ban.Addr.String()), event.Text("why", ban.Reason))
		s.bans[i] = nil
	}
	s.bans = s.bans[:0]
	for _, piece := range s.drops {
		c.Send(s.Refs.Store, &messages.DropPiece{Piece: piece})
	}
	s.drops = s.drops[:0]
	if s.news.fresh >= newsEnough || s.news.fresh > 0 && s.complete() {
		s.announce(c)
	}
	if len(s.news.pieces) > 0 && s.newsTimer == nil {
		s.newsTimer = supervise.SendAfter(c, s.World.Clock, newsWait, &newsDue{})
	}
	for i, p := range s.dirty {
		p.dirty = false
		s.tell(c, p)
		s.dirty[i] = nil
	}
	s.dirty = s.dirty[:0]
	if s.state() != s.told {
		s.report(c)
	}
	s.keepPace(c)
}

func (s *Scheduler) tell(c actor.Context, p *peer) {
	if p.gone {
		return
	}
	if p.dismissed {
		c.Send(p.Peer, &messages.Disconnect{Reason: p.dismissal})
		return
	}
	if interested := p.wanted > 0; interested != p.interested {
		p.interested = interested
		c.Send(p.Peer, &messages.SetInterested{Interested: interested})
	}
	if len(p.cancel) > 0 {
		c.Send(p.Peer, &messages.CancelBlocks{Blocks: slices.Clone(p.cancel)})
		p.cancel = p.cancel[:0]
	}
	if len(p.ask) > 0 {
		c.Send(p.Peer, &messages.RequestBlocks{Blocks: slices.Clone(p.ask)})
		p.ask = p.ask[:0]
	}
}

// announce tells the torrent of the pieces that have become ours, and peers.
func (s *Scheduler) announce(c actor.Context) {
	if s.newsTimer != nil {
		s.newsTimer.Stop()
		s.newsTimer = nil
	}
	if fresh := s.news.fresh; fresh > 0 {
		c.Send(s.Refs.Torrent, &messages.TorrentPiecesVerified{InfoHash: s.Torrent.InfoHash, Pieces: s.news.since(s.news.end() - fresh)})
	}
	s.spread(func(p *peer, m *messages.AnnounceHave) { c.Send(p.Peer, m) })
}

func (s *Scheduler) report(c actor.Context) {
	m := s.named(s.progress())
	s.told = m.State
	c.Send(s.Refs.Torrent, m)
}

func (s *Scheduler) named(m *messages.Progress) *messages.Progress {
	m.InfoHash, m.Name = s.Torrent.InfoHash, s.Torrent.Name
	return m
}
