package tracker

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/udptracker"
)

// overUDP is a tracker whose URL is udp://t.example:80/announce, of a client
// with a socket of IPv4 only.
func overUDP(t *testing.T) (*scene, *stage.Probe) {
	s := &scene{Stage: stage.New(t), t: t}
	s.torrent = s.StartProbe("torrent")
	socket := s.StartProbe("socket")
	cfg := Config{
		World: s.World.World(), Tier: 3, URLs: []string{"udp://t.example:80/announce"}, Port: 6881,
		Refs: messages.Refs{Torrent: s.torrent.PID, Sockets: [2]*actor.PID{socket.PID}},
	}
	s.Perform(func() actor.Actor { return New(cfg) })
	stage.Next[*messages.TrackerReady](s.torrent)
	s.Tell(&messages.StartAnnouncing{})
	s.Tell(&messages.SetTotals{Left: 5, WantPeers: true})
	return s, socket
}

// request is what the tracker at four is asked next.
func (s *scene) request(socket *stage.Probe) udptracker.Request {
	s.t.Helper()
	m := stage.Next[*messages.SendDatagrams](socket)
	if len(m.Datagrams) != 1 || m.Datagrams[0].Addr != four || m.From == nil || !m.Until.After(s.World.Clock.Now()) {
		s.t.Fatalf("%+v", m)
	}
	r, err := udptracker.ParseRequest(m.Datagrams[0].Data)
	if err != nil || r.Transaction != m.Transaction {
		s.t.Fatalf("%+v, %v", r, err)
	}
	return r
}

func (s *scene) datagram(data []byte) {
	s.Tell(&messages.DatagramReceived{Datagram: messages.Datagram{Addr: four, Data: data}})
}

func TestAnnouncesOverUDPAndPassesPeersOn(t *testing.T) {
	s, socket := overUDP(t)
	l := s.World.Names.AwaitLookup()
	if l.Host != "t.example" || l.Timeout != announceTimeout {
		t.Errorf("%+v", l)
	}
	l.Found(six.Addr(), four.Addr())
	s.datagram(udptracker.AppendConnected(nil, s.request(socket).Transaction, 99))
	r := s.request(socket)
	if r.Connection != 99 || r.Announce.Event != announce.Started || r.Announce.Left != 5 || r.Path != "/announce" {
		t.Errorf("%+v", r)
	}
	peer := netip.MustParseAddrPort("192.0.2.7:7000")
	s.datagram(udptracker.AppendReply(nil, r.Transaction, announce.Reply{Interval: time.Hour, Peers: []announce.Peer{{Addr: peer}}}, false))
	if m := stage.Next[*messages.TrackerReplied](s.torrent); m.URL != "udp://t.example:80/announce" || m.Peers != 1 {
		t.Errorf("%+v", m)
	}
	if m := stage.Next[*messages.PeersFound](s.torrent); len(m.Addrs) != 1 || m.Addrs[0].Addr != peer {
		t.Errorf("%+v", m)
	}
}

// What is lost is sent again, a failure is told in its phase, and what comes
// after that is ignored.
func TestAnnouncesOverUDPFail(t *testing.T) {
	s, socket := overUDP(t)
	s.World.Names.AwaitLookup().Fail(errors.New("no such host"))
	m := stage.Next[*messages.TrackerFailed](s.torrent)
	if m.Phase != string(world.PhaseDNS) || !m.Exhausted {
		t.Errorf("%+v", m)
	}
	s.Settle()
	s.World.Clock.Advance(m.Next.Sub(s.World.Clock.Now()))
	s.World.Names.AwaitLookup().Found(six.Addr())
	if m = stage.Next[*messages.TrackerFailed](s.torrent); m.Err.Error() != "connect: there is no UDP socket of IPv6" {
		t.Errorf("%+v", m)
	}
	s.Settle()
	s.World.Clock.Advance(m.Next.Sub(s.World.Clock.Now()))
	s.World.Names.AwaitLookup().Found(four.Addr())
	first := s.request(socket)
	s.Settle()
	s.World.Clock.Advance(announceTimeout / firstWaits)
	if again := s.request(socket); again.Transaction != first.Transaction {
		t.Errorf("%+v, then %+v", first, again)
	}
	s.Settle()
	s.World.Clock.Advance(2 * announceTimeout / firstWaits)
	s.request(socket)
	s.Settle()
	s.World.Clock.Advance(announceTimeout / 2)
	if m = stage.Next[*messages.TrackerFailed](s.torrent); m.Phase != string(world.PhaseConnect) {
		t.Errorf("%+v", m)
	}
	s.datagram(udptracker.AppendConnected(nil, first.Transaction, 99))
	s.Quiet(socket)
}

// A tracker that dies amid an announce announces again.
func TestRestartAmidAnAnnounceOverUDP(t *testing.T) {
	s, socket := overUDP(t)
	s.World.Names.AwaitLookup().Found(four.Addr())
	before := s.request(socket)
	s.Crash()
	stage.Next[*messages.TrackerReady](s.torrent)
	s.datagram(udptracker.AppendConnected(nil, before.Transaction, 98))
	s.Tell(&messages.SetTotals{Left: 5, WantPeers: true})
	s.Tell(&messages.StartAnnouncing{})
	s.World.Names.AwaitLookup().Found(four.Addr())
	s.datagram(udptracker.AppendConnected(nil, s.request(socket).Transaction, 99))
	if r := s.request(socket); r.Connection != 99 || r.Announce.Event != announce.Started {
		t.Errorf("%+v", r)
	}
}

// The end cuts short what is under way, and says `stopped` in its time.
func TestStopOverUDP(t *testing.T) {
	s, socket := overUDP(t)
	s.World.Names.AwaitLookup().Found(four.Addr())
	s.datagram(udptracker.AppendConnected(nil, s.request(socket).Transaction, 99))
	s.request(socket)
	s.stop()
	s.Settle()
	s.World.Clock.Advance(time.Second)
	s.World.Names.AwaitLookup().Found(four.Addr())
	r := s.request(socket)
	if r.Action != udptracker.Announce || r.Connection != 99 || r.Announce.Event != announce.Stopped {
		t.Errorf("%+v", r)
	}
	s.datagram(udptracker.AppendReply(nil, r.Transaction, announce.Reply{}, false))
	stage.Next[*messages.AnnouncingStopped](s.torrent)
}

// Where strangers may have us ask is for the world to say.
func TestUDPTrackersThatAreNotPermitted(t *testing.T) {
	s := stage.New(t)
	s.World.Trackers.Barred = func(url string, from world.Origin, addr netip.Addr) error {
		if url != "udp://t.example:80/announce" || from != world.FromTorrent || addr != four.Addr() {
			t.Errorf("%s, origin %d, %v", url, from, addr)
		}
		return &world.AnnounceError{Phase: world.PhaseURL, Err: errors.New("inside")}
	}
	on := &scene{Stage: s, t: t}
	on.torrent = s.StartProbe("torrent")
	socket := s.StartProbe("socket")
	cfg := Config{
		World: s.World.World(), URLs: []string{"udp://t.example:80/announce"},
		Refs: messages.Refs{Torrent: on.torrent.PID, Sockets: [2]*actor.PID{socket.PID}},
	}
	s.Perform(func() actor.Actor { return New(cfg) })
	stage.Next[*messages.TrackerReady](on.torrent)
	s.Tell(&messages.StartAnnouncing{})
	s.Tell(&messages.SetTotals{})
	s.World.Names.AwaitLookup().Found(four.Addr())
	if m := stage.Next[*messages.TrackerFailed](on.torrent); m.Phase != string(world.PhaseURL) {
		t.Errorf("%+v", m)
	}
	s.Quiet(socket)
}
