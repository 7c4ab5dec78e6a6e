package real

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
)

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// socket is one that a test has bound.
type testSocket struct {
	world.PacketSocket
	batches chan []messages.Datagram
	failed  chan error
}

func bind(t testing.TB, p Packets, addr netip.AddrPort) *testSocket {
	t.Helper()
	s := &testSocket{batches: make(chan []messages.Datagram, 1000), failed: make(chan error, 1)}
	opened, err := p.Bind(addr, func(batch []messages.Datagram) { s.batches <- batch }, func(err error) { s.failed <- err })
	if err != nil {
		t.Fatal(err)
	}
	s.PacketSocket = opened
	t.Cleanup(s.Close)
	return s
}

// Send sends a batch, and returns how many were lost.
func (s *testSocket) Send(batch []messages.Datagram) (lost int) {
	lost, _ = s.PacketSocket.Send(batch)
	return lost
}

// receive takes n datagrams.
func (s *testSocket) receive(n int) (all []messages.Datagram) {
	for len(all) < n {
		all = append(all, <-s.batches...)
		s.Done()
	}
	return all
}

func TestDatagramsArrive(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		a, b := bind(t, Packets{}, netip.AddrPortFrom(netip.MustParseAddr(host), 0)), bind(t, Packets{}, netip.AddrPortFrom(netip.MustParseAddr(host), 0))
		var want []messages.Datagram
		for _, length := range []int{1, 0, 20, 20, 20, 1400, 1400, 700, 1400, 9000, 60_000} {
			data := make([]byte, length)
			for i := range data {
				data[i] = byte(len(want) + i)
			}
			want = append(want, messages.Datagram{Addr: b.Addr(), Data: data})
		}
		if lost := a.Send(want); lost > 0 {
			t.Errorf("%s: %d lost", host, lost)
		}
		for i, got := range b.receive(len(want)) {
			if got.Addr != a.Addr() || !slices.Equal(got.Data, want[i].Data) {
				t.Errorf("%s: datagram %d: %d bytes from %v, want %d", host, i, len(got.Data), got.Addr, len(want[i].Data))
			}
		}
	}
}

// A socket of all IPv6 addresses leaves the port to one of IPv4.
func TestFamiliesShareAPort(t *testing.T) {
	v6 := bind(t, Packets{}, netip.MustParseAddrPort("[::]:0"))
	v4 := bind(t, Packets{}, netip.AddrPortFrom(netip.IPv4Unspecified(), v6.Addr().Port()))
	a := bind(t, Packets{}, loopback)
	a.Send([]messages.Datagram{{Addr: netip.AddrPortFrom(loopback.Addr(), v4.Addr().Port()), Data: []byte("x")}})
	if got := v4.receive(1); got[0].Addr != a.Addr() {
		t.Errorf("from %v", got[0].Addr)
	}
}

// A datagram that cannot be sent does not keep back those behind it.
func TestWhatCannotBeSentIsCounted(t *testing.T) {
	a, b := bind(t, Packets{}, loopback), bind(t, Packets{}, loopback)
	good := messages.Datagram{Addr: b.Addr(), Data: []byte("good")}
	long := messages.Datagram{Addr: b.Addr(), Data: make([]byte, 70_000)}
	other := messages.Datagram{Addr: netip.MustParseAddrPort("[::1]:9"), Data: []byte("of another family")}
	if lost := a.Send([]messages.Datagram{other, good, long, long, good, {}, good}); lost != 4 {
		t.Errorf("%d lost, want 4", lost)
	}
	b.receive(3)
	a.Close()
	if lost, err := a.PacketSocket.Send([]messages.Datagram{good}); lost != 1 || err != nil {
		t.Errorf("%d lost of a closed socket: %v", lost, err)
	}
}

// The system has no route from an address of loopback to others: what it says
// of one datagram comes back, however many others are sent.
func TestTheSystemSaysWhyItSendsNothing(t *testing.T) {
	a, b := bind(t, Packets{}, loopback), bind(t, Packets{}, loopback)
	good := messages.Datagram{Addr: b.Addr(), Data: []byte("good")}
	far := messages.Datagram{Addr: netip.MustParseAddrPort("192.0.2.1:9"), Data: []byte("good")}
	if lost, err := a.PacketSocket.Send([]messages.Datagram{good, far, far, good}); lost != 2 || err != syscall.ENETUNREACH {
		t.Errorf("%d lost: %v", lost, err)
	}
	b.receive(2)
	if lost, err := a.PacketSocket.Send([]messages.Datagram{good, good}); lost > 0 || err != nil {
		t.Errorf("%d lost: %v", lost, err)
	}
	for says, want := range map[error]error{
		syscall.ENOBUFS: nil, net.ErrClosed: nil, syscall.EADDRNOTAVAIL: world.ErrNoAddress, syscall.EHOSTUNREACH: syscall.EHOSTUNREACH,
	} {
		if got := refusal(says); got != want {
			t.Errorf("%v is told as %v, want %v", says, got, want)
		}
	}
}

// A socket reads only a few batches ahead; the rest waits in the kernel, as far
// as there is room.
func TestASocketReceivesOnlyAFewBatchesAhead(t *testing.T) {
	a, b := bind(t, Packets{}, loopback), bind(t, Packets{}, loopback)
	one := []messages.Datagram{{Addr: b.Addr(), Data: []byte("x")}}
	for range ahead {
		a.Send(one)
		<-b.batches
	}
	a.Send(one)
	a.Send(one)
	b.Close() // waits for what is under way
	if n := len(b.batches); n > 0 {
		t.Errorf("%d batches more than %d", n, ahead)
	}
	if len(b.failed) > 0 {
		t.Error(<-b.failed)
	}
}

func TestSocketsLeaveFromTheSource(t *testing.T) {
	source, err := NewSource(netip.MustParseAddr("127.0.0.9"), "")
	if err != nil {
		t.Fatal(err)
	}
	s := bind(t, Packets{Source: source}, netip.MustParseAddrPort("0.0.0.0:0"))
	if s.Addr().Addr() != netip.MustParseAddr("127.0.0.9") {
		t.Errorf("bound to %v", s.Addr())
	}
	if _, err := (Packets{Source: source}).Bind(netip.MustParseAddrPort("[::]:0"), nil, nil); !errors.Is(err, world.ErrNoAddress) {
		t.Errorf("IPv6: %v", err)
	}
}

// A port that is taken is told in the words of the system.
func TestATakenPort(t *testing.T) {
	s := bind(t, Packets{}, loopback)
	if _, err := (Packets{}).Bind(s.Addr(), nil, nil); err == nil || err.Error() != "address already in use" {
		t.Error(err)
	}
}

func TestLiteralNames(t *testing.T) {
	for host, want := range map[string]string{"127.0.0.1": "127.0.0.1", "::ffff:1.2.3.4": "1.2.3.4", "::1": "::1"} {
		var got []netip.Addr
		Names{}.Resolve(host, 0, func(addrs []netip.Addr, err error) { got = addrs })
		if fmt.Sprint(got) != "["+want+"]" {
			t.Errorf("%s: %v", host, got)
		}
	}
}

// The name stands in the file of hosts, so that nobody is asked.
func TestNamesOfThisMachine(t *testing.T) {
	type answer struct {
		addrs []netip.Addr
		err   error
	}
	answers := make(chan answer, 1)
	Names{}.Resolve("localhost", time.Minute, func(addrs []netip.Addr, err error) { answers <- answer{addrs, err} })
	if got := <-answers; got.err != nil || !slices.Contains(got.addrs, loopback.Addr()) {
		t.Errorf("%+v", got)
	}
}
