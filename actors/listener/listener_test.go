package listener

import (
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/frame"
)

var (
	ours   = frame.Handshake{InfoHash: [20]byte{1}, PeerID: [20]byte{9}}
	remote = netip.MustParseAddrPort("192.0.2.7:4000")
	self   = [20]byte{7}
)

type scene struct {
	*stage.Stage
	t      *testing.T
	client *stage.Probe
}

func perform(t *testing.T, addr string) *scene {
	s := &scene{Stage: stage.New(t), t: t}
	s.client = s.StartProbe("client")
	cfg := Config{World: s.World.World(), Refs: messages.Refs{Session: s.client.PID}, Self: self, Addr: addr, Blocklist: stage.Blocklist(t, "203.0.113.0/24")}
	s.Perform(func() actor.Actor { return New(cfg) })
	return s
}

// listen has the listener bind, and tells it that there are no routes.
func (s *scene) listen(before string) *fake.Listener {
	l := s.bind(before)
	s.Tell(&messages.RefuseUnrouted{})
	return l
}

func (s *scene) bind(before string) *fake.Listener {
	stage.Next[*messages.ListenerStarted](s.client)
	m := &messages.Listen{}
	if before != "" {
		m.Before = netip.MustParseAddrPort(before)
	}
	s.Tell(m)
	return s.bound()
}

func (s *scene) bound() *fake.Listener {
	l := s.World.Network.AwaitListener()
	if m := stage.Next[*messages.ListenerReady](s.client); m.Addr != l.Addr() {
		s.t.Fatalf("ready at %v, bound to %v", m.Addr, l.Addr())
	}
	return l
}

// busy makes all ports but one fail to bind; "": all.
func (s *scene) busy(but string) {
	s.World.Network.ListenError = func(addr string) error {
		if but != "" && strings.HasSuffix(addr, but) {
			return nil
		}
		return errors.New("address already in use")
	}
}

func (s *scene) route(torrent *stage.Probe) {
	m := &messages.RouteTorrent{InfoHash: ours.InfoHash}
	if torrent != nil {
		m.Torrent = torrent.PID
	}
	s.Tell(m)
	s.Settle()
}

// A session that has not heard whether we listen asks once more.
func TestABoundListenerStaysWhereItIs(t *testing.T) {
	s := perform(t, "127.0.0.1:6881")
	l := s.listen("")
	s.Tell(&messages.Listen{Before: netip.MustParseAddrPort("127.0.0.1:7000")})
	if m := stage.Next[*messages.ListenerReady](s.client); m.Addr != l.Addr() {
		t.Errorf("ready at %v, bound to %v", m.Addr, l.Addr())
	}
	s.Quiet(s.client)
}

func TestRoutesByInfoHash(t *testing.T) {
	s := perform(t, "127.0.0.1:6881")
	l := s.listen("")
	if l.PerSecond != acceptsPerSecond {
		t.Errorf("%d a second", l.PerSecond)
	}
	torrent := s.StartProbe("torrent")
	s.route(torrent)

	link := l.Accept(remote)
	link.Handshake(ours)
	m := stage.Next[*messages.AdoptLink](torrent)
	if m.Link != messages.Link(link) || m.Handshake != ours {
		t.Errorf("adopts %+v", m)
	}

	unknown := l.Accept(remote)
	unknown.Handshake(frame.Handshake{InfoHash: [20]byte{2}})
	if err := unknown.AwaitClose(); !errors.Is(err, errUnknown) {
		t.Error(err)
	}
	mute := l.Accept(remote)
	s.Settle()
	mute.Close(io.EOF)

	s.route(nil)
	late := l.Accept(remote)
	late.Handshake(ours)
	if err := late.AwaitClose(); !errors.Is(err, errUnknown) {
		t.Error(err)
	}
	s.Quiet(torrent, s.client)
}

func TestClosesWhomTheBlocklistNames(t *testing.T) {
	s := perform(t, ":0")
	l := s.listen("")
	for range maxPending { // they use up no room
		link := l.Accept(netip.MustParseAddrPort("[::ffff:203.0.113.7]:4000"))
		if err := link.AwaitClose(); !errors.Is(err, errBlocked) {
			t.Fatal(err)
		}
		if m := stage.Next[*messages.AddressesBlocked](s.client); !m.Inbound || m.Count != 1 {
			t.Fatalf("%+v", m)
		}
	}
	torrent := s.StartProbe("torrent")
	s.route(torrent)
	l.Accept(remote).Handshake(ours)
	stage.Next[*messages.AdoptLink](torrent)
}

func TestPendingLinksOfAHostAreBounded(t *testing.T) {
	s := perform(t, ":0")
	l := s.listen("")
	torrent := s.StartProbe("torrent")
	s.route(torrent)
	var links []*fake.Link
	first := l.Accept(remote)
	for range maxPerHost {
		links = append(links, l.Accept(remote))
	}
	if err := first.AwaitClose(); !errors.Is(err, errCrowded) {
		t.Error(err)
	}
	links[0].Handshake(ours)
	stage.Next[*messages.AdoptLink](torrent)
	links[1].Close(io.EOF)
	s.Settle()
	for range 2 {
		l.Accept(remote).Handshake(ours)
		stage.Next[*messages.AdoptLink](torrent)
	}
}

func TestRouteEndsWithItsTorrent(t *testing.T) {
	s := perform(t, ":0")
	l := s.listen("")
	torrent := s.StartProbe("torrent")
	s.route(torrent)
	s.Stop(torrent)
	link := l.Accept(remote)
	link.Handshake(ours)
	if err := link.AwaitClose(); !errors.Is(err, errUnknown) {
		t.Error(err)
	}
}

func TestTriesThePortsOfItsRange(t *testing.T) {
	s := perform(t, "127.0.0.1:6881-6889")
	s.busy(":6885")
	if l := s.listen(""); l.Addr().Port() != 6885 {
		t.Errorf("bound to %v", l.Addr())
	}
}

func TestFailedBindIsTriedAgain(t *testing.T) {
	s := perform(t, "127.0.0.1:6881-6883")
	s.busy("")
	stage.Next[*messages.ListenerStarted](s.client)
	s.Tell(&messages.Listen{})
	var last time.Duration
	for range 10 {
		stage.Next[*messages.ListenerFailed](s.client)
		s.Settle()
		pause, ok := s.World.Clock.Next()
		if !ok || pause < last*3/4 || pause > lastRetry {
			t.Fatalf("tries again in %v after %v", pause, last)
		}
		last = pause
		s.World.Clock.Advance(pause)
	}
	stage.Next[*messages.ListenerFailed](s.client)
	if last < lastRetry*3/4 {
		t.Errorf("the last pause was %v", last)
	}
	s.Settle()
	s.busy(":6882")
	s.World.Clock.Advance(lastRetry)
	s.bound()
}

func TestAddressThatMakesNoSense(t *testing.T) {
	s := perform(t, "127.0.0.1:port")
	stage.Next[*messages.ListenerStarted](s.client)
	s.Tell(&messages.Listen{})
	stage.Next[*messages.ListenerFailed](s.client)
	s.Settle()
	if n := s.World.Clock.Pending(); n != 0 {
		t.Errorf("%d timers", n)
	}
}

func TestLostSocketIsBoundAgain(t *testing.T) {
	s := perform(t, "127.0.0.1:0")
	l := s.listen("")
	waiting := l.Accept(remote)
	l.Fail(errors.New("gone"))
	stage.Next[*messages.ListenerFailed](s.client)
	if err := waiting.AwaitClose(); !errors.Is(err, errStopping) {
		t.Error(err)
	}
	s.Settle()
	s.World.Clock.Advance(firstRetry)
	if again := s.bound(); again.Asked != l.Addr().String() {
		t.Errorf("bound to %s", again.Asked)
	}
}

func TestRestartBindsTheSamePort(t *testing.T) {
	s := perform(t, "127.0.0.1:0")
	l := s.listen("")
	torrent := s.StartProbe("torrent")
	s.route(torrent)
	waiting := l.Accept(remote)
	s.Crash()
	if err := waiting.AwaitClose(); !errors.Is(err, errStopping) || !l.Closed() {
		t.Error(err, l.Closed())
	}
	again := s.bind("127.0.0.1:7123")
	if again.Addr().Port() != 7123 {
		t.Errorf("bound to %v", again.Addr())
	}
	early, stranger := again.Accept(remote), again.Accept(remote) // the routes have not come yet
	early.Handshake(ours)
	stranger.Handshake(frame.Handshake{InfoHash: [20]byte{2}})
	s.route(torrent)
	s.Tell(&messages.RefuseUnrouted{})
	if m := stage.Next[*messages.AdoptLink](torrent); m.Link != messages.Link(early) {
		t.Error("another link was adopted")
	}
	if err := stranger.AwaitClose(); !errors.Is(err, errUnknown) {
		t.Error(err)
	}
}

func TestInsistsOnceOnThePortItHad(t *testing.T) {
	s := perform(t, "127.0.0.1:0")
	s.busy(":0")
	stage.Next[*messages.ListenerStarted](s.client)
	s.Tell(&messages.Listen{Before: netip.MustParseAddrPort("127.0.0.1:7123")})
	stage.Next[*messages.ListenerFailed](s.client)
	s.Settle()
	s.World.Clock.Advance(firstRetry)
	if l := s.bound(); l.Asked != "127.0.0.1:0" {
		t.Errorf("bound to %v", l.Asked)
	}
}

func TestStopClosesWhatWaits(t *testing.T) {
	s := perform(t, ":0")
	l := s.listen("")
	waiting := l.Accept(remote)
	s.Settle()
	if err := s.Tree.System.Root.StopFuture(s.Actor).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := waiting.AwaitClose(); !errors.Is(err, errStopping) || !l.Closed() {
		t.Error(err, l.Closed())
	}
}

// However many connections are turned away because the process has too many,
// the session is asked once a second to evict an idle peer.
func TestTellsWhomItTurnsAway(t *testing.T) {
	s := perform(t, ":0")
	l := s.listen("")
	for range 3 {
		for range 100 {
			l.TurnAway()
		}
		stage.Next[*messages.ConnectionsExhausted](s.client)
		s.Settle()
		s.Quiet(s.client)
		s.World.Clock.Advance(evictPause)
	}
}
