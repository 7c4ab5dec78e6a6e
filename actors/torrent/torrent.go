// Package torrent is the supervisor of one torrent: of its trackers, and of the
// engine that moves its data. Trackers go on when the engine is restarted.
//
// The torrent decides when it is done, when it is hopeless, and in which order
// it ends: first the data is synced, then trackers are told, and last its
// supervisor. torrent.go is the shell; the core is
//
//	state       what the torrent knows, and what it wants done
//	goals       when it is done, and when it is hopeless
//	metainfo    what is done while only the info hash is known
//	wanted      which pieces are to be downloaded
//	announcing  which trackers announce, and what
//	searching   what the DHT is to look for
//	tiers       whose turn it is (BEP 12)
//	candidates  the addresses of peers, kept for the next engine
//	publicity   what strangers may be told
//	sources     where peers come from
//	webseeds    which web seeds serve
//	renew       another engine, because the data has changed
//	totals      what was counted, over the restarts of an engine
//	end         the order of the end
//	asked       what the user asks about the torrent
package torrent

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
)

// Strategy is how a torrent answers the failures of its parts: an engine that
// has spent its restarts ends the torrent, the others are restarted for ever.
func Strategy(usual supervise.Backoff) supervise.Strategy {
	engine, forever := usual, usual
	engine.WhenSpent = supervise.ThenStop
	forever.WhenSpent = supervise.Forever
	return supervise.ByKind(map[string]supervise.Strategy{"engine": engine, "tracker": forever, "metadata": forever}, engine)
}

// Config is what a torrent is built from.
type Config struct {
	World *world.World
	Refs  messages.Refs
	Added *messages.AddTorrent
	Port  uint16 // at which we can be dialled; 0: nowhere
	// Engine, Tracker and Metadata make the props of its parts.
	Engine   func(refs messages.Refs) *actor.Props
	Tracker  func(refs messages.Refs, tier int) *actor.Props
	Metadata func(refs messages.Refs) *actor.Props
}

// New builds a torrent.
func New(c Config) actor.Actor { return &torrent{Config: c, state: &state{}} }

type torrent struct {
	Config
	*state
	timer supervise.Timer // of the next wake
}

// addresses are those of the actors that a torrent speaks to.
type addresses struct {
	self       *actor.PID
	session    *actor.PID   // gets the events
	supervisor *actor.PID   // gets the outcome
	engine     *actor.PID   // nil while there is none
	trackers   []*actor.PID // one a tier
	metadata   *actor.PID   // nil while there is none
	dht        [2]*actor.PID
}

// wake: the torrent to itself, when something is due.
type wake struct{}

var errStopping = errors.New("the torrent is stopping")

func (t *torrent) Receive(c actor.Context) {
	t.now = t.World.Clock.Now()
	switch m := c.Message().(type) {
	case *actor.Started:
		t.start(c)
	case *actor.Restarting, *actor.Stopping:
		t.timer.Stop()
		t.ending = true // the parts that stop from now on have not failed
	case *actor.Terminated:
		if m.Who.Equal(t.to.engine) {
			t.engineGone()
		}
	case *wake:
		t.wake()

	case *messages.StopTorrent:
		t.end(nil)
	case *messages.RestoreTotals:
		t.restoreTotals(m)
	case *messages.SetListenPort:
		t.setListenPort(m)
	case *messages.SetMetainfo:
		t.setMetainfo(m)
	case *messages.QueryMetadataOffers:
		t.tellEngine(m)
	case *messages.MetadataProgress:
		t.metadata = *m
	case *messages.MetadataFound:
		t.metadataFound(m)
	case *messages.SetWanted:
		t.setWanted(m)
	case *messages.SetLimits:
		t.setLimits(m)
	case *messages.SetMemory:
		t.setMemory(m)
	case *messages.EvictIdlePeer:
		t.tellEngine(m)
	case *messages.AdoptLink:
		if t.ending || t.to.engine == nil {
			m.Link.Close(errStopping)
		} else {
			t.tellEngine(m)
		}

	case *messages.TrackerReady:
		t.trackerReady(m.Tier)
	case *messages.TrackerReplied:
		t.trackerReplied(m)
	case *messages.TrackerFailed:
		t.trackerFailed(m)
	case *messages.PeersFound:
		t.peersFound(m)
	case *messages.DHTNodesKnown:
		t.searching.nodes = m.Count
	case *messages.SetOurAddress:
		t.setOurAddress(m)
	case *messages.DHTStarted:
		t.dhtStarted(m)
	case *messages.AnnouncingStopped:
		t.answered()

	case *messages.QueryFiles:
		m.Reply(t.files())
	case *messages.QueryTrackers:
		m.Reply(t.trackers())
	case *messages.SetUrgent, *messages.QueryContent:
		t.state.tellStoreAndScheduler(m)
	case *messages.QueryPeers:
		t.queryPeers(m)

	case *messages.QueryMetainfo:
		t.tellMetainfo()
	case *messages.QueryCandidates:
		t.peersStarted()
	case *messages.PeersConnected:
		t.peersConnected(m.Peers)
	case *messages.WebSeedStarted:
		t.webSeedStarted(m)
	case *messages.WebSeedChanged:
		t.webSeedChanged(m)
	case *messages.SourcesCounted:
		t.sources = m.Sources
	case *messages.QueryKnownPieces:
		t.storeStarted(m)
	case *messages.PiecesKnown:
		t.piecesKnown(m)
	case *messages.PieceVerified:
		t.pieceVerified(m.Piece)
	case *messages.Progress:
		t.progress(m)
	case *messages.TorrentPiecesVerified:
		t.tellSession(m)
	case *messages.PeerBanned:
		t.tellSession(&messages.TorrentPeerBanned{InfoHash: t.hash, Addr: m.Addr, Reason: m.Reason})
	case *messages.DataChanged:
		t.dataChanged(m)
	case *messages.StoreFailed:
		t.storeFailed(m)
	case *messages.StoreRecovered:
		t.goals.diskRecovered()
	case *messages.Flushed:
		t.flushed(m)
	case *messages.ConnectionsClosed:
		t.connectionsClosed(m)
	}
	t.carryOut(c)
}

func (t *torrent) start(c actor.Context) {
	t.Refs.Torrent = c.Self()
	t.state = newState(t.Added, t.Port, t.World.Clock.Now())
	t.to = addresses{self: c.Self(), session: t.Refs.Session, supervisor: t.Refs.Torrents, dht: t.Refs.DHT}
	t.begin()
	t.out.Flush(c.Send)
	if t.torrent == nil {
		t.Refs.Metadata = actor.NewPID(c.Self().Address, c.Self().Id+"/metadata")
		t.to.metadata = spawn(c, t.Metadata(t.Refs), "metadata")
	}
	for tier := range t.Added.Announce {
		t.to.trackers = append(t.to.trackers, spawn(c, t.Tracker(t.Refs, tier), fmt.Sprintf("tracker-%d", tier)))
	}
}

// carryOut does what the state wants done.
func (t *torrent) carryOut(c actor.Context) {
	out := &t.out
	if out.startEngine {
		t.to.engine = spawn(c, t.Engine(t.Refs), "engine")
		t.tellMemory()
	}
	for _, r := range out.remarks {
		supervise.Remark(c, r.event, event.Text("why", r.why))
	}
	out.Flush(c.Send)
	if out.stopEngine {
		c.Stop(t.to.engine)
	}
	if out.stopMetadata {
		c.Stop(t.to.metadata)
		t.to.metadata = nil
	}
	out.startEngine, out.stopEngine, out.stopMetadata, out.remarks = false, false, false, nil
	t.timer.SetAt(c, t.World.Clock, t.due(), &wake{})
}

func spawn(c actor.Context, props *actor.Props, name string) *actor.PID {
	pid, err := c.SpawnNamed(props, name)
	if err != nil {
		supervise.Fail(err)
	}
	return pid
}
