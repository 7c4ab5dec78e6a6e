package tracker

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kouzui/actors/lab/stage"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

type scene struct {
	*stage.Stage
	t       *testing.T
	torrent *stage.Probe
}

func perform(t *testing.T) *scene { return performOn(t, stage.New(t)) }

func performOn(t *testing.T, on *stage.Stage, given ...string) *scene {
	s := &scene{Stage: on, t: t}
	s.torrent = s.StartProbe("torrent")
	cfg := Config{
		World: s.World.World(), Refs: messages.Refs{Torrent: s.torrent.PID}, Tier: 3,
		URLs: []string{"http://a/announce"}, Given: given, InfoHash: metainfo.Hash{1}, PeerID: [20]byte{2}, Key: 7, Port: 6881,
	}
	s.Perform(func() actor.Actor { return New(cfg) })
	if m := stage.Next[*messages.TrackerReady](s.torrent); m.Tier != 3 {
		t.Fatalf("%+v", m)
	}
	return s
}

// begin lets the tracker announce `started`.
func (s *scene) begin() *fake.Announce {
	s.Tell(&messages.StartAnnouncing{})
	s.Tell(&messages.SetTotals{Left: 5, WantPeers: true})
	return s.World.Trackers.AwaitAnnounce()
}

// begun is a tracker that has had its first reply, r.
func begun(t *testing.T, r announce.Reply) *scene {
	s := perform(t)
	s.begin().Reply(r)
	stage.Next[*messages.TrackerReplied](s.torrent)
	return s
}

func (s *scene) noAnnounce() {
	s.t.Helper()
	s.Settle()
	if n := s.World.Trackers.Waiting(); n > 0 {
		s.t.Fatalf("%d announces too many", n)
	}
}

func (s *scene) stop() { s.Tell(&messages.StopAnnouncing{Within: 2 * time.Second}) }

func TestAnnouncesAndPassesPeersOn(t *testing.T) {
	s := perform(t)
	s.Settle()
	call := s.begin()
	want := announce.Request{
		InfoHash: metainfo.Hash{1}, PeerID: [20]byte{2}, Key: 7, Port: 6881, Left: 5,
		Event: announce.Started, NumWant: 50, Compact: true,
	}
	if diff := cmp.Diff(want, call.Request, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	peer := netip.MustParseAddrPort("127.0.0.2:7000")
	now := s.World.Clock.Now()
	call.Reply(announce.Reply{
		Interval: time.Hour, MinInterval: time.Minute, Seeders: 2, Leechers: 3, Warning: "slow", External: peer.Addr(),
		Peers: []announce.Peer{{Addr: peer}},
	})
	if diff := cmp.Diff(&messages.TrackerReplied{
		Tier: 3, URL: "http://a/announce", Event: announce.Started, Warning: "slow", Seeders: 2, Leechers: 3, Peers: 1,
		Next: now.Add(time.Hour), Earliest: now.Add(time.Minute), External: peer.Addr(),
	}, stage.Next[*messages.TrackerReplied](s.torrent), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Error(diff)
	}
	if m := stage.Next[*messages.PeersFound](s.torrent); len(m.Addrs) != 1 || m.Addrs[0] != (messages.PeerAddr{Addr: peer, Source: messages.TrackerTier(3)}) {
		t.Errorf("found %+v", m)
	}

	s.Tell(&messages.SetListenPort{Port: 6999})
	s.Tell(&messages.SetTotals{})
	s.Settle()
	s.World.Clock.Advance(time.Hour - 1)
	s.noAnnounce()
	s.World.Clock.Advance(1)
	if r := s.World.Trackers.AwaitAnnounce().Request; r.Event != announce.None || r.Port != 6999 {
		t.Errorf("the regular announce is %+v", r)
	}
}

func TestFailuresAreReportedAndRetried(t *testing.T) {
	s := perform(t)
	cause := errors.New("refused")
	s.begin().Fail(world.PhaseConnect, cause)
	m := stage.Next[*messages.TrackerFailed](s.torrent)
	if m.Phase != "connect" || !errors.Is(m.Err, cause) || !m.Exhausted || m.Event != announce.Started || m.Tier != 3 {
		t.Errorf("%+v", m)
	}
	s.Settle()
	s.World.Clock.Advance(m.Next.Sub(s.World.Clock.Now()))
	s.World.Trackers.AwaitAnnounce().Reply(announce.Reply{Failure: "go away", RetryIn: time.Hour})
	m = stage.Next[*messages.TrackerFailed](s.torrent)
	if m.Phase != string(world.PhaseFailure) || m.Next.Sub(s.World.Clock.Now()) != time.Hour {
		t.Errorf("%+v", m)
	}
}

func TestStopSaysSo(t *testing.T) {
	s := begun(t, announce.Reply{Interval: time.Hour})
	s.stop()
	call := s.World.Trackers.AwaitAnnounce()
	if call.Request.Event != announce.Stopped || call.Timeout > 2*time.Second {
		t.Errorf("%+v", call)
	}
	s.Quiet(s.torrent)
	call.Reply(announce.Reply{})
	stage.Next[*messages.AnnouncingStopped](s.torrent)
	s.Tell(&messages.SetTotals{WantPeers: true, Completed: true})
	s.noAnnounce()
	s.stop()
	stage.Next[*messages.AnnouncingStopped](s.torrent)
}

func TestStopWaitsForCompleted(t *testing.T) {
	s := begun(t, announce.Reply{Interval: time.Hour})
	s.Tell(&messages.SetTotals{Completed: true})
	completed := s.World.Trackers.AwaitAnnounce()
	s.stop()
	s.noAnnounce()
	completed.Reply(announce.Reply{})
	stage.Next[*messages.TrackerReplied](s.torrent)
	s.World.Trackers.AwaitAnnounce().Fail(world.PhaseRead, errors.New("eof"))
	stage.Next[*messages.AnnouncingStopped](s.torrent)
}

func TestStopNeverTakesLonger(t *testing.T) {
	s := begun(t, announce.Reply{Interval: time.Hour})
	s.Tell(&messages.SetTotals{Completed: true})
	completed := s.World.Trackers.AwaitAnnounce()
	s.stop()
	s.Settle()
	s.World.Clock.Advance(time.Second)
	if call := s.World.Trackers.AwaitAnnounce(); call.Request.Event != announce.Stopped {
		t.Errorf("at half of the time %v is announced", call.Request.Event)
	}
	if completed.Reply(announce.Reply{}) {
		t.Error("the announce that hung was not cancelled")
	}
	s.Quiet(s.torrent)
	s.World.Clock.Advance(time.Second)
	stage.Next[*messages.AnnouncingStopped](s.torrent)
}

func TestStopWithoutStart(t *testing.T) {
	s := perform(t)
	s.stop()
	stage.Next[*messages.AnnouncingStopped](s.torrent)
	s.noAnnounce()
}

func TestStopTakesAStartUnderWayForSaid(t *testing.T) {
	s := perform(t)
	s.begin()
	s.stop()
	s.Settle()
	s.World.Clock.Advance(time.Second)
	if call := s.World.Trackers.AwaitAnnounce(); call.Request.Event != announce.Stopped {
		t.Errorf("%v is announced", call.Request.Event)
	}
}

func TestPauseAndBack(t *testing.T) {
	s := begun(t, announce.Reply{Interval: time.Minute})
	s.Tell(&messages.PauseAnnouncing{})
	s.Settle()
	s.World.Clock.Advance(time.Hour)
	s.noAnnounce()
	s.Tell(&messages.StartAnnouncing{})
	if call := s.World.Trackers.AwaitAnnounce(); call.Request.Event != announce.None {
		t.Errorf("%v is announced", call.Request.Event)
	}
}

func TestRestartKeepsToWhatTheTrackerAsked(t *testing.T) {
	s := perform(t)
	s.begin().Reply(announce.Reply{Interval: time.Hour, MinInterval: 10 * time.Minute})
	reply := stage.Next[*messages.TrackerReplied](s.torrent)
	s.Tell(&messages.SetTotals{Completed: true})
	hanging := s.World.Trackers.AwaitAnnounce()
	s.Crash()
	stage.Next[*messages.TrackerReady](s.torrent)
	if hanging.Reply(announce.Reply{}) {
		t.Error("the announce of a dead tracker goes on")
	}
	s.Tell(&messages.SetTotals{WantPeers: true})
	s.Tell(&messages.StartAnnouncing{NotBefore: reply.Earliest, Started: true})
	s.Settle()
	s.World.Clock.Advance(10*time.Minute - 1)
	s.noAnnounce()
	s.World.Clock.Advance(1)
	if call := s.World.Trackers.AwaitAnnounce(); call.Request.Event != announce.None {
		t.Errorf("%v is announced", call.Request.Event)
	}
}

func TestKeysStayWithUs(t *testing.T) {
	const address = "http://me:5ec7e7@a/k3y-in-path/announce?pass=k3yinquery"
	s := &scene{Stage: stage.New(t), t: t}
	s.torrent = s.StartProbe("torrent")
	cfg := Config{World: s.World.World(), Refs: messages.Refs{Torrent: s.torrent.PID}, URLs: []string{address}}
	s.Perform(func() actor.Actor { return New(cfg) })
	stage.Next[*messages.TrackerReady](s.torrent)
	call := s.begin()
	if call.URL != address {
		t.Errorf("announces to %s", call.URL)
	}
	call.Reply(announce.Reply{Failure: "5ec7e7 and k3y-in-path are unknown"})
	failed := stage.Next[*messages.TrackerFailed](s.torrent)
	if got := failed.URL + " " + failed.Err.Error(); got != "http://***@a/***/announce?*** failure reason: *** and *** are unknown" {
		t.Error(got)
	}
	s.Settle()
	s.World.Clock.Advance(failed.Next.Sub(s.World.Clock.Now()))
	s.World.Trackers.AwaitAnnounce().Reply(announce.Reply{Warning: "k3yinquery expires"})
	replied := stage.Next[*messages.TrackerReplied](s.torrent)
	if got := replied.URL + " " + replied.Warning; got != "http://***@a/***/announce?*** *** expires" {
		t.Error(got)
	}
}

// What the user has named is trusted, what stands in a torrent is not.
func TestTheWorldIsToldWhoNamedTheURL(t *testing.T) {
	for given, want := range map[string]world.Origin{"http://a/announce": world.FromUser, "http://b/announce": world.FromTorrent} {
		t.Run(given, func(t *testing.T) {
			if call := performOn(t, stage.New(t), given).begin(); call.From != want {
				t.Errorf("from %d", call.From)
			}
		})
	}
}
