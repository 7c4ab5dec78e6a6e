package client

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

var address = netip.MustParseAddrPort("127.0.0.1:6881")

// scene is a client whose parts only pass on what they are told.
type scene struct {
	*stage.Stage
	limiter, listener, torrent *stage.Probe
	t                          *testing.T
	events                     chan any
	shares                     chan Share
	own                        map[metainfo.Hash]*stage.Probe // of torrents that do not share one
}

func newScene(t *testing.T, listens bool) *scene {
	s := &scene{Stage: stage.New(t), t: t, events: make(chan any, 100), shares: make(chan Share, 100)}
	s.limiter, s.listener, s.torrent = s.StartProbe("limiter"), s.StartProbe("listener"), s.StartProbe("torrent")
	config := Config{
		Memory: 30 << 20, Limits: messages.SetLimits{Down: 7},
		Notify:   func(m any) { s.events <- m },
		Restarts: func(string) int { return 3 },
		Limiter:  s.Relay("limiter", s.limiter),
		Torrent: func(_ messages.Refs, add *messages.AddTorrent, share Share) *actor.Props {
			s.shares <- share
			if own := s.own[add.Torrent.InfoHash]; own != nil {
				return s.Relay("torrent", own)
			}
			return s.Relay("torrent", s.torrent)
		},
	}
	if listens {
		config.Listener = func(messages.Refs) *actor.Props { return s.Relay("listener", s.listener) }
	}
	s.Perform(func() actor.Actor { return New(config) })
	return s
}

func (s *scene) add(length int) metainfo.Hash {
	torrent, _ := stage.Torrent(s.t, length, 16<<10)
	s.Tell(&messages.AddTorrent{InfoHash: torrent.InfoHash, Name: torrent.Name, Torrent: torrent})
	return torrent.InfoHash
}

func event[T any](t *testing.T, s *scene) T {
	t.Helper()
	m, is := (<-s.events).(T)
	if !is {
		t.Fatalf("got %T", m)
	}
	return m
}

func TestTorrentsWaitForTheListenersFirstWord(t *testing.T) {
	for name, word := range map[string]any{
		"it listens": &messages.ListenerReady{Addr: address},
		"it cannot":  &messages.ListenerFailed{Err: errors.New("taken")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, true)
			hash := s.add(1000)
			s.Settle()
			if len(s.shares) != 0 {
				t.Fatal("a torrent starts before it is known where we listen")
			}
			s.Tell(word)
			<-s.events
			share := <-s.shares
			if ready, is := word.(*messages.ListenerReady); is && share.Port != ready.Addr.Port() || !is && share.Port != 0 {
				t.Errorf("it is told port %d", share.Port)
			}
			if share.Limits.Down != 7 || share.Memory != 30<<20 {
				t.Errorf("it is given %+v", share)
			}
			if route := stage.Next[*messages.RouteTorrent](s.listener); route.InfoHash != hash || route.Torrent == nil {
				t.Errorf("the listener is told %+v", route)
			}
		})
	}
}

func TestARestartedListenerIsToldItsRoutes(t *testing.T) {
	s := newScene(t, true)
	s.Tell(&messages.ListenerReady{Addr: address})
	hash := s.add(1000)
	stage.Next[*messages.RefuseUnrouted](s.listener)
	stage.Next[*messages.RouteTorrent](s.listener)
	s.Tell(&messages.ListenerStarted{})
	if m := stage.Next[*messages.Listen](s.listener); m.Before != address {
		t.Errorf("it is to listen at %v", m.Before)
	}
	s.Tell(&messages.ListenerReady{Addr: address})
	if route := stage.Next[*messages.RouteTorrent](s.listener); route.InfoHash != hash {
		t.Errorf("route of %v", route.InfoHash)
	}
}

func TestARestartedLimiterIsToldTheRates(t *testing.T) {
	s := newScene(t, false)
	s.Tell(&messages.SetLimits{Up: 5})
	stage.Next[*messages.SetLimits](s.limiter)
	s.Tell(&messages.LimiterReady{})
	if m := stage.Next[*messages.SetLimits](s.limiter); m.Up != 5 || m.Down != 0 {
		t.Errorf("it is told %+v", m)
	}
}

func TestMemoryIsSharedEvenly(t *testing.T) {
	s := newScene(t, false)
	first := s.add(1000)
	s.Settle()
	if m := stage.Next[*messages.SetMemory](s.torrent); m.Bytes != 30<<20 {
		t.Errorf("alone it has %d", m.Bytes)
	}
	s.add(2000)
	for range 2 {
		if m := stage.Next[*messages.SetMemory](s.torrent); m.Bytes != 15<<20 {
			t.Errorf("two have %d each", m.Bytes)
		}
	}
	s.Tell(&messages.TorrentDone{InfoHash: first})
	if m := stage.Next[*messages.SetMemory](s.torrent); m.Bytes != 30<<20 {
		t.Errorf("the one that is left has %d", m.Bytes)
	}
}

// Torrents that are complete leave their part to the others, and many that come
// at once cost one word each.
func TestMemoryIsForThoseThatNeedIt(t *testing.T) {
	s := newScene(t, true)
	var hashes []metainfo.Hash
	for i := range 20 {
		hashes = append(hashes, s.add(1000+i))
	}
	s.Tell(&messages.ListenerReady{Addr: address})
	for range hashes {
		if m := stage.Next[*messages.SetMemory](s.torrent); m.Bytes != 30<<20/20 {
			t.Fatalf("one of 20 has %d", m.Bytes)
		}
	}
	s.Settle()
	s.Quiet(s.torrent)
	for _, hash := range hashes[1:] {
		s.Tell(&messages.Progress{InfoHash: hash, State: messages.StateSeeding})
		s.Settle()
	}
	words, last := 0, int64(0)
	for ; last < 30<<20; words++ {
		last = stage.Next[*messages.SetMemory](s.torrent).Bytes
	}
	if words > 120 { // and not 19 + 18 + ... + 1
		t.Errorf("they are told %d times what they may have", words)
	}
	s.Quiet(s.torrent)
	s.Tell(&messages.Progress{InfoHash: hashes[0], State: messages.StateStarting}) // it is new, and knows nothing
	if m := stage.Next[*messages.SetMemory](s.torrent); m.Bytes != 30<<20 {
		t.Errorf("after a restart it has %d", m.Bytes)
	}
}

func TestATorrentHasOneLastWord(t *testing.T) {
	s := newScene(t, false)
	hash := s.add(1000)
	s.Tell(&messages.Progress{InfoHash: hash, Name: "data"})
	if p := event[*messages.Progress](t, s); p.Restarts != 3 {
		t.Errorf("%d restarts", p.Restarts)
	}
	s.Tell(&messages.TorrentDone{InfoHash: hash, Complete: true})
	if done := event[*messages.TorrentDone](t, s); !done.Complete {
		t.Error("it was complete")
	}
	s.Settle()
	if len(s.events) != 0 {
		t.Errorf("then comes %T", <-s.events)
	}
}

func TestATorrentThatSupervisionGivesUp(t *testing.T) {
	s := newScene(t, false)
	hash := s.add(1000)
	s.Tell(&messages.Progress{InfoHash: hash, Name: "data"})
	event[*messages.Progress](t, s)
	for _, n := range s.Tree.Snapshot() {
		if n.Kind == "torrent" {
			pid := actor.NewPID(s.Actor.Address, n.Path)
			if err := s.Tree.System.Root.StopFuture(pid).Wait(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if failed := event[*messages.TorrentFailed](t, s); !errors.Is(failed.Err, messages.ErrGivenUp) || failed.InfoHash != hash {
		t.Errorf("failed with %v", failed.Err)
	}
}

func TestTheSameTorrentTwice(t *testing.T) {
	s := newScene(t, false)
	s.add(1000)
	s.add(1000)
	if failed := event[*messages.TorrentFailed](t, s); failed.Err == nil {
		t.Error("no reason given")
	}
}

func TestNothingIsSaidToHaveFailedWhenTheClientStops(t *testing.T) {
	s := newScene(t, false)
	s.add(1000)
	s.Settle()
	if err := s.Tree.System.Root.StopFuture(s.Actor).Wait(); err != nil {
		t.Fatal(err)
	}
	if len(s.events) != 0 {
		t.Errorf("got %T", <-s.events)
	}
}

func TestARestartedTorrentIsToldWhatItCounted(t *testing.T) {
	s := newScene(t, false)
	hash := s.add(1000)
	s.Tell(&messages.Progress{InfoHash: hash, Downloaded: 600, Uploaded: 50, Wasted: 4, Corrupt: 1})
	s.Tell(&messages.TorrentStarted{InfoHash: hash})
	if m := stage.Await[*messages.SetLimits](s.torrent); m.Down != 7 {
		t.Errorf("the rates are %+v", m)
	}
	stage.Await[*messages.SetListenPort](s.torrent)
	want := messages.RestoreTotals{Downloaded: 600, Uploaded: 50, Wasted: 4, Corrupt: 1}
	if m := stage.Await[*messages.RestoreTotals](s.torrent); *m != want {
		t.Errorf("it is told %+v", m)
	}
}

// Who has no connection at all has none to give up.
func TestTorrentsMakeRoomInTurn(t *testing.T) {
	s := newScene(t, false)
	s.own = map[metainfo.Hash]*stage.Probe{}
	var probes []*stage.Probe
	for i, peers := range []int{3, 0, 1} {
		torrent, _ := stage.Torrent(t, 1000*(i+1), 16<<10)
		probe := s.StartProbe(fmt.Sprintf("torrent with %d peers", peers))
		s.own[torrent.InfoHash], probes = probe, append(probes, probe)
		s.Tell(&messages.AddTorrent{InfoHash: torrent.InfoHash, Name: torrent.Name, Torrent: torrent})
		s.Tell(&messages.Progress{InfoHash: torrent.InfoHash, Peers: peers})
	}
	for range 4 {
		s.Tell(&messages.ConnectionsExhausted{})
	}
	for range 2 { // so none is left for the one without peers
		stage.Await[*messages.EvictIdlePeer](probes[0])
		stage.Await[*messages.EvictIdlePeer](probes[2])
	}
}
