package extended

import (
	"net/netip"
	"testing"
)

func TestPriorityIsThatOfBEP40(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want uint32
	}{
		{"123.213.32.10:1", "98.76.54.32:2", 0xec2d7224},
		{"123.213.32.10:1", "123.213.32.234:2", 0x99568189},
		{"123.213.32.10:1", "[2001:db8::1]:2", 0},
	} {
		a, b := netip.MustParseAddrPort(c.a), netip.MustParseAddrPort(c.b)
		mapped := netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
		for _, got := range []uint32{Priority(a, b), Priority(b, a), Priority(mapped, b)} {
			if got != c.want {
				t.Errorf("%s, %s: %08x, want %08x", c.a, c.b, got, c.want)
			}
		}
	}
}

// What another address of the same network could choose changes nothing; within
// the network that both share all bits count, and at one address the ports.
func TestPriorityMasksWhatCanBeChosen(t *testing.T) {
	for _, c := range []struct {
		own, one, other string
		same            bool
	}{
		{"1.2.3.4:1", "5.6.85.0:1", "5.6.255.170:9", true},
		{"1.2.3.4:1", "1.2.9.0:1", "1.2.9.170:1", true},
		{"1.2.3.4:1", "1.2.9.0:1", "1.2.8.0:1", false},
		{"1.2.3.4:1", "1.2.3.5:1", "1.2.3.7:1", false},
		{"1.2.3.4:1", "1.2.3.4:2", "1.2.3.4:3", false},
		{"[2001:db8::1]:1", "[2001:db9:0:55::]:1", "[2001:db9:0:ff::]:1", true},
		{"[2001:db8::1]:1", "[2001:db8:0:55::]:1", "[2001:db8:0:ff::]:1", false},
	} {
		own := netip.MustParseAddrPort(c.own)
		one, other := Priority(own, netip.MustParseAddrPort(c.one)), Priority(own, netip.MustParseAddrPort(c.other))
		if (one == other) != c.same {
			t.Errorf("%s: %s %08x, %s %08x", c.own, c.one, one, c.other, other)
		}
	}
}
