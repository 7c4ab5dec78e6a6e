package listener

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"kouzui/actors/world/fake"
	"kouzui/messages"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// fill has n links enter, one a second, and returns those that are in at the
// end.
func fill(g *gate, n int, addr func(i int) netip.AddrPort) (in []*fake.Link) {
	network := fake.New(1).Network
	for i := range n {
		l := network.NewLink(addr(i), true)
		if g.enter(l, noon.Add(time.Duration(i)*time.Second)) {
			in = append(in, l)
		}
	}
	return slices.DeleteFunc(in, func(l *fake.Link) bool { return !slices.Contains(g.queue, messages.Link(l)) })
}

func TestGateBounds(t *testing.T) {
	at := func(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, 5000) }
	for name, c := range map[string]struct {
		addr func(i int) netip.AddrPort
		want int
	}{
		"one host":         {func(int) netip.AddrPort { return netip.MustParseAddrPort("192.0.2.1:1") }, maxPerHost},
		"one host, mapped": {func(int) netip.AddrPort { return netip.MustParseAddrPort("[::ffff:192.0.2.1]:1") }, maxPerHost},
		"one subscriber": {func(i int) netip.AddrPort {
			return at(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)}))
		}, maxPerHost},
		"many": {func(i int) netip.AddrPort { return at(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})) }, maxPending},
		"here": {func(int) netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:1") }, maxPending},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate()
			in := fill(g, 2*maxPending, c.addr)
			if len(in) != c.want {
				t.Fatalf("%d are in, want %d", len(in), c.want)
			}
			for _, l := range in {
				g.leave(l)
				g.leave(l) // as when the handshake of an evicted link comes
			}
			if len(g.queue) != 0 || len(g.hosts) != 0 {
				t.Errorf("an empty gate keeps %d links and %d hosts", len(g.queue), len(g.hosts))
			}
			if !g.enter(fake.New(1).Network.NewLink(c.addr(0), true), noon.Add(time.Hour)) {
				t.Error("the room of links that left is not free")
			}
		})
	}
}

// The link that has waited longest is closed, of the host that has the most.
func TestASilentCrowdKeepsNobodyOut(t *testing.T) {
	g, network := newGate(), fake.New(1).Network
	crowd := fill(g, maxPending, func(int) netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:1") })
	var others []*fake.Link
	for i := range 3 {
		l := network.NewLink(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + i)}), 1), true)
		if !g.enter(l, noon) {
			t.Fatal("a link of another host is not admitted")
		}
		others = append(others, l)
		if err := crowd[i].AwaitClose(); !errors.Is(err, errCrowded) {
			t.Fatalf("the one that waited longest was closed with %v", err)
		}
	}
	fill(g, 2*maxPending, func(int) netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:1") })
	for _, l := range others {
		if !slices.Contains(g.queue, messages.Link(l)) {
			t.Error("the links of other hosts were closed")
		}
	}
}

func TestGateHoldsAHostToItsRate(t *testing.T) {
	g, network := newGate(), fake.New(1).Network
	enter := func(host byte, now time.Time) bool {
		return g.enter(network.NewLink(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, host}), 1), true), now)
	}
	count := func(host byte, n int, now time.Time) (in int) {
		for range n {
			if enter(host, now) {
				in++
			}
		}
		return in
	}
	if in := count(1, 1000, noon); in != hostBurst {
		t.Errorf("%d at once, want %d", in, hostBurst)
	}
	if in := count(1, 1000, noon.Add(10*time.Second)); in != 10*hostRate && in != hostBurst {
		t.Errorf("%d after 10 s, want %d", in, min(10*hostRate, hostBurst))
	}
	if !enter(2, noon) {
		t.Error("the rate of one host bounds another")
	}
}

func TestGateRemembersABoundedNumberOfHosts(t *testing.T) {
	g, network := newGate(), fake.New(1).Network
	for i := range 2 * maxHosts {
		addr := netip.AddrFrom4([4]byte{192, byte(i >> 16), byte(i >> 8), byte(i)})
		l := network.NewLink(netip.AddrPortFrom(addr, 1), true)
		if !g.enter(l, noon) {
			t.Fatalf("host %d is kept out", i)
		}
		g.leave(l)
	}
	if len(g.spentUntil) > maxHosts {
		t.Errorf("%d hosts are remembered", len(g.spentUntil))
	}
}

func TestClosedGateClosesAll(t *testing.T) {
	g := newGate()
	here := func(int) netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:1") }
	in := fill(g, 2, here)
	g.leave(in[0])
	g.close()
	if err := in[1].AwaitClose(); !errors.Is(err, errStopping) {
		t.Error(err)
	}
	late := fake.New(1).Network.NewLink(here(0), true)
	if g.enter(late, noon) || !errors.Is(late.AwaitClose(), errStopping) {
		t.Error("a closed gate admits a link")
	}
	g.close()
	g.leave(in[1])
}
