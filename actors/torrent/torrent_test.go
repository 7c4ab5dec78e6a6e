package torrent

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// scene is a torrent with two tiers of trackers; probes get what its parts are
// told.
type scene struct {
	*stage.Stage
	session, engine, metadata *stage.Probe
	trackers                  [2]*stage.Probe
	dht                       [2]*stage.Probe // nil: there is none
}

func newStage(t *testing.T) *scene {
	s := &scene{Stage: stage.New(t)}
	s.session, s.engine, s.metadata = s.StartProbe("session"), s.StartProbe("engine"), s.StartProbe("metadata")
	s.trackers[0], s.trackers[1] = s.StartProbe("first"), s.StartProbe("second")
	return s
}

func newScene(t *testing.T, o messages.TorrentOptions) *scene {
	s := newStage(t)
	torrent, _ := stage.Torrent(t, 1000, 100, "http://a/announce", "http://b/announce")
	added := &messages.AddTorrent{
		InfoHash: torrent.InfoHash, Name: torrent.Name, Announce: torrent.Announce, Torrent: torrent, Options: o,
	}
	s.perform(added)
	return s
}

// newHashScene is the same torrent, of which only the info hash is known.
func newHashScene(t *testing.T, o messages.TorrentOptions) (*scene, *metainfo.Torrent) {
	s := newStage(t)
	torrent, _ := stage.Torrent(t, 1000, 100, "http://a/announce", "http://b/announce")
	s.perform(&messages.AddTorrent{InfoHash: torrent.InfoHash, Name: "unknown", Announce: torrent.Announce, Options: o})
	return s, torrent
}

func (s *scene) perform(added *messages.AddTorrent) {
	config := Config{
		World: s.World.World(), Added: added, Port: 6881,
		Refs:     messages.Refs{Session: s.session.PID, Torrents: s.session.PID},
		Engine:   func(messages.Refs) *actor.Props { return s.Relay("engine", s.engine) },
		Tracker:  func(_ messages.Refs, tier int) *actor.Props { return s.Relay("tracker", s.trackers[tier]) },
		Metadata: func(messages.Refs) *actor.Props { return s.Relay("metadata", s.metadata) },
	}
	for family, dht := range s.dht {
		if dht != nil {
			config.Refs.DHT[family] = dht.PID
		}
	}
	s.Perform(func() actor.Actor { return New(config) })
	stage.Next[*messages.TorrentStarted](s.session)
	s.Tell(&messages.RestoreTotals{})
}

func (s *scene) progress(state messages.State, left int64) {
	s.Tell(&messages.Progress{At: s.World.Clock.Now(), State: state, Length: 1000, Have: 1000 - left, Left: left, Downloaded: 1000 - left})
	stage.Next[*messages.Progress](s.session)
}

func TestAnnouncesBeginWhenItIsKnownWhatIsLeft(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{})
	s.progress(messages.StateChecking, 1000)
	s.Quiet(s.trackers[:]...)
	s.progress(messages.StateDownloading, 400)
	if m := stage.Next[*messages.SetTotals](s.trackers[0]); m.Left != 400 || m.Downloaded != 600 {
		t.Errorf("it announces %+v", m)
	}
	stage.Next[*messages.StartAnnouncing](s.trackers[0])
	s.Quiet(s.trackers[1])
}

func TestTheNextTierAnnouncesWhileTheFirstFails(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{})
	s.progress(messages.StateDownloading, 400)
	s.Tell(&messages.TrackerFailed{Tier: 0, Err: errors.New("down"), Exhausted: true})
	stage.Await[*messages.StartAnnouncing](s.trackers[1])
	s.Tell(&messages.TrackerReplied{Tier: 0, Event: announce.Started})
	stage.Await[*messages.PauseAnnouncing](s.trackers[1])
}

// A tier of whose peers none connects does not keep the next one from
// announcing; once a peer is connected, the next one pauses again.
func TestTheNextTierIsAskedWhenTheFirstBringsNobody(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{})
	s.progress(messages.StateDownloading, 400)
	s.Tell(&messages.TrackerReplied{Tier: 0, Event: announce.Started, Peers: 200})
	stage.Next[*messages.TorrentAnnounced](s.session)
	s.World.Clock.Advance(maxAlone - 1)
	s.progress(messages.StateDownloading, 400)
	s.Quiet(s.trackers[1])
	s.World.Clock.Advance(1)
	s.progress(messages.StateDownloading, 400)
	stage.Await[*messages.StartAnnouncing](s.trackers[1])
	s.Tell(&messages.TrackerReplied{Tier: 0, Peers: 200})
	if m := stage.Await[*messages.SetTotals](s.trackers[1]); !m.Alone {
		t.Errorf("it announces %+v", m)
	}
	s.Quiet(s.trackers[1]) // it is not told to pause

	s.Tell(&messages.Progress{At: s.World.Clock.Now(), State: messages.StateDownloading, Left: 400, Peers: 1})
	if m := stage.Await[*messages.SetTotals](s.trackers[1]); m.Alone {
		t.Errorf("it announces %+v", m)
	}
	s.Tell(&messages.TrackerReplied{Tier: 0})
	stage.Await[*messages.PauseAnnouncing](s.trackers[1])
}

func TestARestartedTrackerIsToldWhatWasSaid(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{})
	s.progress(messages.StateDownloading, 400)
	earliest := s.World.Clock.Now().Add(time.Minute)
	s.Tell(&messages.TrackerReplied{Tier: 0, Event: announce.Started, Earliest: earliest})
	stage.Await[*messages.StartAnnouncing](s.trackers[0])
	s.Tell(&messages.TrackerReady{Tier: 0})
	m := stage.Await[*messages.StartAnnouncing](s.trackers[0])
	if !m.Started || m.Completed || !m.NotBefore.Equal(earliest) {
		t.Errorf("it is told %+v", m)
	}
}

func TestItEndsInOrder(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{})
	s.progress(messages.StateDownloading, 400)
	s.progress(messages.StateSeeding, 0)
	stage.Next[*messages.TorrentCompleted](s.session)
	stage.Await[*messages.Flush](s.engine)
	stage.Await[*messages.CloseConnections](s.engine)
	if m := stage.Await[*messages.SetTotals](s.trackers[0]); m.Completed {
		t.Error("completed before it was")
	}
	for !stage.Await[*messages.SetTotals](s.trackers[0]).Completed {
	}
	stage.Await[*messages.StopAnnouncing](s.trackers[0])
	s.Quiet(s.session)
	s.Tell(&messages.Flushed{})
	s.Quiet(s.session)
	s.Tell(&messages.AnnouncingStopped{})
	s.Quiet(s.session)
	s.Tell(&messages.ConnectionsClosed{Last: messages.Progress{Downloaded: 1000, Uploaded: 77}})
	if done := stage.Next[*messages.TorrentDone](s.session); !done.Complete || done.Last.Uploaded != 77 {
		t.Errorf("at last it is %+v", done)
	}
	s.Quiet(s.session)
}

func TestItsEndTakesNoLongerThanItMay(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{Seed: true})
	s.progress(messages.StateDownloading, 400)
	s.Tell(&messages.StopTorrent{})
	s.Settle()
	s.World.Clock.Advance(maxEnd)
	if done := stage.Next[*messages.TorrentDone](s.session); done.Complete {
		t.Error("it was not complete")
	}
}

func TestWhatTheStoreCannotDoEndsIt(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{})
	cause := errors.New("no such folder")
	s.Tell(&messages.StoreFailed{Err: cause, Fatal: true})
	s.Tell(&messages.Flushed{})
	s.Tell(&messages.ConnectionsClosed{})
	if failed := stage.Next[*messages.TorrentFailed](s.session); !errors.Is(failed.Err, cause) {
		t.Errorf("it failed with %v", failed.Err)
	}
}

func TestPeersThatAreRestartedAreToldTheCandidates(t *testing.T) {
	user, found := netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2")
	s := newScene(t, messages.TorrentOptions{Peers: []netip.AddrPort{user}})
	s.Tell(&messages.PeersFound{Addrs: []messages.PeerAddr{{Addr: found}}})
	stage.Next[*messages.AddCandidates](s.engine)
	s.Tell(&messages.QueryCandidates{})
	if m := stage.Await[*messages.AddCandidates](s.engine); len(m.Addrs) != 2 {
		t.Errorf("it is told of %v", m.Addrs)
	}
}

func TestWithoutPeersItSaysWhatTheTrackerSaid(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{})
	s.progress(messages.StateDownloading, 400)
	s.Tell(&messages.TrackerFailed{Tier: 0, URL: "http://a/announce", Err: errors.New("connect: refused")})
	stage.Next[*messages.TorrentAnnounced](s.session)
	s.Tell(&messages.Progress{At: s.World.Clock.Now(), State: messages.StateDownloading, Left: 400})
	if p := stage.Next[*messages.Progress](s.session); p.Why != "tracker http://a/announce: connect: refused" {
		t.Errorf("it says %q", p.Why)
	}
}

// A torrent that is restarted goes on counting from what the client kept, and
// ignores Progress of the engine before.
func TestItGoesOnCountingAfterARestart(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{})
	count := func(at time.Time, downloaded int64) {
		s.Tell(&messages.Progress{At: at, State: messages.StateChecking, Downloaded: downloaded})
	}
	before := s.World.Clock.Now()
	count(before, 600)
	stage.Next[*messages.Progress](s.session)
	s.World.Clock.Advance(time.Second)
	s.Crash()
	stage.Next[*messages.TorrentStarted](s.session)
	count(s.World.Clock.Now(), 1)
	count(before, 700)
	s.Quiet(s.session) // before RestoreTotals it does not know what to add
	s.Tell(&messages.RestoreTotals{Downloaded: 600, Uploaded: 50, Wasted: 4, Corrupt: 1})
	count(s.World.Clock.Now(), 2)
	for _, want := range []int64{601, 602} {
		if p := stage.Next[*messages.Progress](s.session); p.Downloaded != want || p.Uploaded != 50 || p.Wasted != 4 || p.Corrupt != 1 {
			t.Errorf("it counts %+v", p)
		}
	}
}

// Peers that are restarted know only the rates of their Config.
func TestPeersAreToldTheRates(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{})
	s.Tell(&messages.SetLimits{Up: 5})
	stage.Next[*messages.SetLimits](s.engine)
	s.Tell(&messages.QueryCandidates{})
	stage.Await[*messages.AddCandidates](s.engine)
	if m := stage.Next[*messages.SetLimits](s.engine); m.Up != 5 {
		t.Errorf("they are told %+v", m)
	}
}
