package socket

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/messages"
)

var (
	ours    = netip.MustParseAddrPort("127.0.0.1:6000")
	another = netip.MustParseAddrPort("127.0.0.1:6001")
	remote  = netip.MustParseAddrPort("192.0.2.7:4000")
	query   = messages.Datagram{Addr: remote, Data: []byte("de")}
)

type scene struct {
	*stage.Stage
	t                     *testing.T
	session, dht, tracker *stage.Probe
}

func perform(t *testing.T) *scene {
	s := &scene{Stage: stage.New(t), t: t}
	s.session, s.dht, s.tracker = s.StartProbe("session"), s.StartProbe("dht"), s.StartProbe("tracker")
	s.Perform(func() actor.Actor {
		return New(Config{World: s.World.World(), Session: s.session.PID, DHT: s.dht.PID})
	})
	if m := stage.Next[*messages.SocketStarted](s.session); !m.Socket.Equal(s.Actor) {
		t.Errorf("started: %v", m.Socket)
	}
	return s
}

// bound waits until both have heard that the socket is bound.
func (s *scene) bound(at netip.AddrPort) *fake.PacketSocket {
	s.t.Helper()
	socket := s.World.Packets.AwaitSocket()
	if socket.Addr() != at {
		s.t.Errorf("bound to %v, want %v", socket.Addr(), at)
	}
	s.ready(at, s.session, s.dht)
	return socket
}

func (s *scene) ready(at netip.AddrPort, probes ...*stage.Probe) {
	s.t.Helper()
	for _, p := range probes {
		if m := stage.Next[*messages.SocketReady](p); m.Addr != at {
			s.t.Errorf("ready at %v, want %v", m.Addr, at)
		}
	}
}

func answer(from netip.AddrPort, id byte) messages.Datagram {
	return messages.Datagram{Addr: from, Data: []byte{0, 0, 0, 1, 0, 0, 0, id}}
}

func TestSaysWhereItIsBound(t *testing.T) {
	s := perform(t)
	s.Tell(&messages.QuerySocket{ReplyTo: s.tracker.PID})
	s.Quiet(s.tracker)
	s.Tell(&messages.BindSocket{Addr: ours})
	s.bound(ours)
	s.Tell(&messages.BindSocket{Addr: another})
	s.ready(ours, s.session, s.dht)
	s.Tell(&messages.QuerySocket{ReplyTo: s.tracker.PID})
	s.ready(ours, s.tracker)
}

func TestPassesOnByContent(t *testing.T) {
	s := perform(t)
	s.Tell(&messages.BindSocket{Addr: ours})
	socket := s.bound(ours)
	s.Tell(&messages.SendDatagrams{
		Datagrams: []messages.Datagram{{Addr: remote, Data: []byte("announce")}},
		From:      s.tracker.PID, Transaction: 7, Until: s.World.Clock.Now().Add(time.Second),
	})
	if sent := socket.AwaitSent(); len(sent) != 1 || sent[0].Addr != remote || string(sent[0].Data) != "announce" {
		t.Errorf("sent %v", sent)
	}
	socket.Arrive(answer(remote, 8), query, answer(remote, 7), answer(remote, 7))
	if m := stage.Next[*messages.DatagramReceived](s.dht); m.Addr != remote || string(m.Data) != "de" || !m.At.Equal(s.World.Clock.Now()) {
		t.Errorf("the DHT is given %+v", m)
	}
	if m := stage.Next[*messages.DatagramReceived](s.tracker); m.Data[7] != 7 {
		t.Errorf("the tracker is given %v", m.Data)
	}
	socket.AwaitDone()
	s.Quiet(s.dht, s.tracker, s.session)
}

// A tracker that is asked first of all need not wait for its timer.
func TestWhatIsSentBeforeItIsBoundWaits(t *testing.T) {
	s := perform(t)
	for range maxHeld + 1 {
		s.Tell(&messages.SendDatagrams{Datagrams: []messages.Datagram{query}})
	}
	s.Tell(&messages.BindSocket{Addr: ours})
	socket := s.bound(ours)
	s.Settle()
	if sent := socket.WaitingSent(); sent != maxHeld {
		t.Errorf("%d messages waited, want %d", sent, maxHeld)
	}
}

// The other side knows us by our port.
func TestBindsTheSamePortAgain(t *testing.T) {
	s := perform(t)
	s.Tell(&messages.BindSocket{Addr: ours})
	socket := s.bound(ours)
	s.Crash()
	if !socket.Closed() {
		t.Error("the socket of the incarnation before is open")
	}
	stage.Next[*messages.SocketStarted](s.session)
	s.Tell(&messages.BindSocket{Addr: another, Before: ours})
	socket = s.bound(ours)
	socket.Fail(errors.New("network is down"))
	if m := stage.Next[*messages.SocketFailed](s.session); m.Addr != ours || m.Err.Error() != "network is down" {
		t.Errorf("%+v", m)
	}
	s.Tell(&messages.SendDatagrams{Datagrams: []messages.Datagram{query}}) // dropped
	s.Settle()
	s.World.Clock.Advance(firstRetry)
	again := s.bound(ours)
	s.Settle()
	if again.WaitingSent() > 0 {
		t.Error("what was sent while there was no socket is sent late")
	}
	socket.Arrive(query)
	s.Quiet(s.dht)
}

func TestTakesAnotherPortIfItsOwnIsTaken(t *testing.T) {
	s := perform(t)
	s.World.Packets.BindError = func(addr netip.AddrPort) error {
		if addr == ours {
			return errors.New("address already in use")
		}
		return nil
	}
	s.Tell(&messages.BindSocket{Addr: ours})
	s.bound(netip.AddrPortFrom(ours.Addr(), 6881))
}

func TestDoesNotTryWhereThereIsNoAddress(t *testing.T) {
	s := perform(t)
	s.World.Packets.BindError = func(netip.AddrPort) error { return world.ErrNoAddress }
	s.Tell(&messages.BindSocket{Addr: ours})
	if m := stage.Next[*messages.SocketFailed](s.session); !errors.Is(m.Err, world.ErrNoAddress) || m.Addr != ours {
		t.Errorf("%+v", m)
	}
	s.Settle()
	s.World.Clock.Advance(lastRetry)
	s.Quiet(s.session)
}

// A tracker is told what the system says, and not left to wait for its timer; a
// full buffer is no reason.
func TestATrackerIsToldWhatCannotBeSent(t *testing.T) {
	s := perform(t)
	s.Tell(&messages.BindSocket{Addr: ours})
	socket := s.bound(ours)
	socket.Lost = 1
	ask := func() {
		s.Tell(&messages.SendDatagrams{
			Datagrams: []messages.Datagram{{Addr: remote, Data: []byte("announce")}},
			From:      s.tracker.PID, Transaction: 7, Until: s.World.Clock.Now().Add(time.Second),
		})
		s.Tell(&messages.SendDatagrams{Datagrams: []messages.Datagram{query}}) // of the DHT
		s.Settle()
	}
	ask()
	s.Quiet(s.tracker, s.dht)
	socket.Refusal = errors.New("network is unreachable")
	ask()
	if m := stage.Next[*messages.DatagramsUnsent](s.tracker); m.Transaction != 7 || m.Err != socket.Refusal {
		t.Errorf("%+v", m)
	}
	socket.Arrive(answer(remote, 7))
	s.Quiet(s.tracker, s.dht)
}

// Where there is no address of the family, nothing will ever be sent: neither
// what has waited for the socket, nor what comes later.
func TestATrackerIsToldThatThereIsNoSocket(t *testing.T) {
	s := perform(t)
	s.World.Packets.BindError = func(netip.AddrPort) error { return world.ErrNoAddress }
	ask := func(id uint32) {
		s.Tell(&messages.SendDatagrams{Datagrams: []messages.Datagram{{Addr: remote}}, From: s.tracker.PID, Transaction: id, Until: s.World.Clock.Now().Add(time.Second)})
	}
	ask(1)
	s.Tell(&messages.BindSocket{Addr: ours})
	ask(2)
	for id := range uint32(2) {
		if m := stage.Next[*messages.DatagramsUnsent](s.tracker); m.Transaction != id+1 || !errors.Is(m.Err, world.ErrNoAddress) {
			t.Errorf("%+v", m)
		}
	}
}

func TestAFloodIsTakenAtItsPace(t *testing.T) {
	s := perform(t)
	s.Tell(&messages.BindSocket{Addr: ours})
	socket := s.bound(ours)
	flood := make([]messages.Datagram, burst)
	for i := range flood {
		flood[i] = answer(remote, 1)
	}
	socket.Arrive(flood...)
	socket.AwaitDone()
	socket.Arrive(flood[:perSecond/10]...)
	s.Settle()
	s.World.Clock.Advance(time.Second/10 - 1)
	s.Settle()
	if socket.WaitingDone() > 0 {
		t.Error("more is taken at once")
	}
	s.World.Clock.Advance(1)
	socket.AwaitDone()
}
