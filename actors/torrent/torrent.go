// Package torrent is the supervisor of one torrent: its trackers, and the
// engine that moves its data. The trackers live on when the engine is restarted.
//
// The torrent decides when it is done, when it is hopeless, and in which order
// it ends: the data is made safe, the trackers are told, and then the client.
package torrent

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

const (
	endWithin = 2500 * time.Millisecond // an end takes no longer
	maxKnown  = 1000                    // addresses kept for the next engine
	fewPeers  = 20                      // below that, more are wanted of trackers
)

// Strategy is how a torrent answers the failures of its parts: an engine that
// cannot be kept alive takes the torrent with it, a tracker is tried for ever.
func Strategy(usual supervise.Backoff) supervise.Strategy {
	engine, tracker := usual, usual
	engine.WhenSpent = supervise.ThenStop
	tracker.WhenSpent = supervise.Forever
	return supervise.ByKind(map[string]supervise.Strategy{"engine": engine, "tracker": tracker}, engine)
}

// Config is what a torrent is built from.
type Config struct {
	World   *world.World
	Tree    *supervise.Tree
	Refs    messages.Refs
	Torrent *metainfo.Torrent
	Options messages.TorrentOptions
	Port    uint16 // at which we can be dialled; 0: nowhere
	// Engine and Tracker make the props of its parts.
	Engine  func(refs messages.Refs) *actor.Props
	Tracker func(refs messages.Refs, tier int) *actor.Props
}

// New builds a torrent.
func New(c Config) actor.Actor { return &torrent{Config: c, goals: goals{options: c.Options}} }

type torrent struct {
	Config
	goals    goals
	trackers trackers
	engine   *actor.PID
	timer    world.Timer // for due, or once it ends for the end
	due      time.Time   // see goals.due

	// started is when this life began: earlier Progress is of another's engine.
	started time.Time
	last    messages.Progress
	sums    sums
	// held is the last Progress that came before RestoreTotals.
	held  *messages.Progress
	known map[netip.AddrPort]messages.PeerAddr
	told  []netip.AddrPort // of them those that the user has not given, oldest first
	// pieces is what the last store knew, for the next one; nil: nothing.
	pieces  *messages.PiecesKnown
	renewal renewal

	ending   bool
	failure  error
	complete bool
	pending  int // answers that the end waits for
}

// goalDue and endLapse are sent by timers.
type (
	goalDue  struct{ at time.Time }
	endLapse struct{}
)

func (t *torrent) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		t.start(c)
	case *messages.AdoptLink:
		if t.ending || t.engine == nil {
			m.Link.Close(fmt.Errorf("stopping"))
			return
		}
		t.forward(c)
	case *messages.SetLimits:
		t.renewal.limits = m
		t.forward(c)
	case *messages.SetMemory:
		t.renewal.memory = m
		t.forward(c)

	case *messages.EvictIdlePeer:
		t.forward(c)
	case *messages.RestoreTotals:
		t.goOnFrom(c, m)

	case *messages.QueryCandidates:
		t.tellCandidates(c)
	case *messages.PeersFound:
		t.found(c, m)
	case *messages.TrackerReplied:
		t.trackerReplied(c, m)
	case *messages.TrackerFailed:
		t.trackerFailed(c, m)
	case *messages.TrackerReady:
		t.trackerReady(c, m.Tier)
	case *messages.SetListenPort:
		t.listenPort(c, m)

	case *messages.Progress:
		t.progress(c, m)
	case *messages.TorrentPiecesVerified:
		c.Forward(t.Refs.Session)
	case *messages.PeerBanned:
		c.Send(t.Refs.Session, &messages.TorrentPeerBanned{InfoHash: t.Torrent.InfoHash, Addr: m.Addr, Reason: m.Reason})
	case *messages.QueryKnownPieces:
		c.Send(m.ReplyTo, t.recall())
	case *messages.PiecesKnown:
		t.learn(m)
	case *messages.PieceVerified:
		if t.pieces != nil {
			t.pieces.Known.Set(uint(m.Piece))
			t.pieces.Have.Set(uint(m.Piece))
		}
	case *messages.DataChanged:
		t.renew(c, m)
	case *renewNow:
		if !t.ending {
			t.beginAnew(c)
		}
	case *messages.StoreFailed:
		if m.Fatal {
			t.end(c, m.Err)
			return
		}
		t.goals.diskFailed(m.Err, t.World.Clock.Now())
	case *messages.StoreRecovered:
		t.goals.diskRecovered()
	case *messages.StopTorrent:
		t.end(c, nil)
	case *messages.Flushed:
		if m.Err != nil && t.failure == nil && !t.complete {
			t.failure = m.Err
		}
		t.answered(c)
	case *messages.ConnectionsClosed:
		t.last = t.sums.total(m.Last)
		t.answered(c)
	case *messages.AnnouncingStopped:
		t.answered(c)
	case *goalDue:
		if m.at.Equal(t.due) && !t.ending {
			t.judge(c, t.World.Clock.Now())
		}
	case *endLapse:
		t.pending = 0
		t.report(c)

	case *actor.Terminated:
		switch {
		case !m.Who.Equal(t.engine):
		case t.renewal.wanted:
			t.engine = nil
			t.renewal.timer = supervise.SendAfter(c, t.World.Clock, renewAfter, &renewNow{})
		default:
			t.engine = nil
			t.end(c, fmt.Errorf("%w on the engine of this torrent", messages.ErrGivenUp))
		}
	case *actor.Restarting, *actor.Stopping:
		t.ending = true // what stops now has not failed
		t.stopTimer()
		if t.renewal.timer != nil {
			t.renewal.timer.Stop()
		}
	}
}

func (t *torrent) start(c actor.Context) {
	t.Refs.Torrent = c.Self()
	t.started = t.World.Clock.Now()
	t.known, t.told = map[netip.AddrPort]messages.PeerAddr{}, nil
	for _, a := range t.Options.Peers {
		t.known[a] = messages.PeerAddr{Addr: a, Source: messages.Manual}
	}
	t.last = messages.Progress{
		InfoHash: t.Torrent.InfoHash, Name: t.Torrent.Name, State: messages.StateStarting,
		Pieces: t.Torrent.PieceCount(), Length: t.Torrent.Length, Left: t.Torrent.Length,
	}
	c.Send(t.Refs.Session, &messages.TorrentStarted{InfoHash: t.Torrent.InfoHash})
	t.spawnTrackers(c)
	t.spawnEngine(c)
}

// goOnFrom takes over what an earlier life of this torrent has counted.
func (t *torrent) goOnFrom(c actor.Context, m *messages.RestoreTotals) {
	t.sums.goOnFrom(m)
	for i := range t.trackers.resume {
		t.trackers.resume[i].Completed = m.Complete
	}
	if t.held != nil {
		t.progress(c, t.held)
		t.held = nil
	}
}

func (t *torrent) spawnEngine(c actor.Context) {
	engine, err := c.SpawnNamed(t.Engine(t.Refs), "engine")
	if err != nil {
		supervise.Fail(err)
	}
	t.engine = engine
}

// tellCandidates gives peers that begin anew the addresses that are known, and
// the rates.
func (t *torrent) tellCandidates(c actor.Context) {
	found := &messages.AddCandidates{}
	found.Addrs = slices.SortedFunc(maps.Values(t.known), func(a, b messages.PeerAddr) int { return a.Addr.Compare(b.Addr) })
	if t.engine != nil {
		c.Send(t.engine, found)
		if t.renewal.limits != nil {
			c.Send(t.engine, t.renewal.limits)
		}
	}
}

func (t *torrent) found(c actor.Context, m *messages.PeersFound) {
	for _, a := range m.Addrs {
		t.remember(a)
	}
	if t.engine != nil {
		c.Send(t.engine, &messages.AddCandidates{Addrs: m.Addrs})
	}
}

// remember makes room by forgetting the oldest that the user has not given, so that a tracker that tells many
// addresses does not keep out those of the next.
func (t *torrent) remember(a messages.PeerAddr) {
	if _, known := t.known[a.Addr]; known {
		return
	}
	if len(t.known) >= maxKnown && len(t.told) > 0 {
		delete(t.known, t.told[0])
		t.told = t.told[1:]
	}
	if len(t.known) < maxKnown {
		t.known[a.Addr] = a
		t.told = append(t.told, a.Addr)
	}
}

func (t *torrent) forward(c actor.Context) {
	if t.engine != nil {
		c.Forward(t.engine)
	}
}

func (t *torrent) progress(c actor.Context, m *messages.Progress) {
	if t.ending || m.At.Before(t.started) {
		return
	}
	if !t.sums.begun {
		t.held = m
		return
	}
	now := t.World.Clock.Now()
	p := t.sums.total(*m)
	if p.Peers == 0 && p.Left > 0 && p.State == messages.StateDownloading && t.trackers.trouble != "" {
		p.Why = t.trackers.trouble
	}
	t.last = p
	c.Send(t.Refs.Session, &p)
	if p.State == messages.StateStarting || p.State == messages.StateChecking || t.renewal.wanted {
		return
	}
	t.beginAnnouncing(c)
	if p.State == messages.StateSeeding && !t.complete {
		t.complete = true
		t.goals.completed(now)
		c.Send(t.Refs.Session, &messages.TorrentCompleted{InfoHash: t.Torrent.InfoHash, Last: p})
	}
	t.lookFurther(c, now)
	t.tellTotals(c)
	t.judge(c, now)
}

// judge ends the torrent when it is done or hopeless, and looks again when time
// alone will have made it so: Progress of a torrent at rest is rare.
func (t *torrent) judge(c actor.Context, now time.Time) {
	if t.goals.done(&t.last, now) {
		t.end(c, nil)
		return
	}
	if err := t.goals.hopeless(&t.last, now); err != nil {
		t.end(c, err)
		return
	}
	if due := t.goals.due(); !due.Equal(t.due) {
		t.due = due
		t.stopTimer()
		if !due.IsZero() {
			t.timer = supervise.SendAfter(c, t.World.Clock, due.Sub(now), &goalDue{due})
		}
	}
}

func (t *torrent) stopTimer() {
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

// end begins the end: what is being written is finished, the trackers are told.
func (t *torrent) end(c actor.Context, failure error) {
	if t.ending {
		return
	}
	t.ending, t.failure = true, failure
	if t.engine != nil {
		t.pending += 2
		c.Send(t.engine, &messages.Flush{ReplyTo: c.Self()})
		c.Send(t.engine, &messages.CloseConnections{ReplyTo: c.Self()})
	}
	t.pending += t.endAnnouncing(c)
	t.stopTimer()
	t.timer = supervise.SendAfter(c, t.World.Clock, endWithin, &endLapse{})
	t.report(c)
}

func (t *torrent) answered(c actor.Context) {
	if t.pending > 0 {
		t.pending--
		t.report(c)
	}
}

// report tells the client, once nothing is waited for, how the torrent ended.
// The client then stops it.
func (t *torrent) report(c actor.Context) {
	if !t.ending || t.pending > 0 {
		return
	}
	t.pending = -1
	t.last.State = messages.StateStopped
	if t.failure != nil {
		c.Send(t.Refs.Session, &messages.TorrentFailed{InfoHash: t.Torrent.InfoHash, Err: t.failure, Last: t.last})
		return
	}
	c.Send(t.Refs.Session, &messages.TorrentDone{InfoHash: t.Torrent.InfoHash, Complete: t.complete, Last: t.last})
}
