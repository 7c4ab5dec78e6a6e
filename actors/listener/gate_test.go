package listener

import (
	"errors"
	"net/netip"
	"testing"

	"kouzui/actors/world/fake"
)

func fill(t *testing.T, g *gate, n int, addr func(i int) netip.AddrPort) (in []*fake.Link) {
	t.Helper()
	network := fake.New(1).Network
	for i := range n {
		l := network.NewLink(addr(i), true)
		if g.enter(l) {
			in = append(in, l)
		} else if err := l.AwaitClose(); !errors.Is(err, errCrowded) {
			t.Fatalf("turned away with %v", err)
		}
	}
	return in
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
			in := fill(t, g, 2*maxPending, c.addr)
			if len(in) != c.want {
				t.Fatalf("%d are in, want %d", len(in), c.want)
			}
			for _, l := range in {
				g.leave(l)
			}
			if len(g.links) != 0 || len(g.hosts) != 0 {
				t.Errorf("an empty gate keeps %d links and %d hosts", len(g.links), len(g.hosts))
			}
			if again := fill(t, g, 1, c.addr); len(again) != 1 {
				t.Error("room is not free again")
			}
		})
	}
}

func TestClosedGateClosesAll(t *testing.T) {
	g := newGate()
	here := func(int) netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:1") }
	in := fill(t, g, 2, here)
	g.leave(in[0])
	g.close()
	if err := in[1].AwaitClose(); !errors.Is(err, errStopping) {
		t.Error(err)
	}
	late := fake.New(1).Network.NewLink(here(0), true)
	if g.enter(late) || !errors.Is(late.AwaitClose(), errStopping) {
		t.Error("a closed gate lets in")
	}
	g.close()
	g.leave(in[1])
}
