package socket

import (
	"net/netip"
	"slices"
	"testing"
)

func TestCandidates(t *testing.T) {
	free, none := netip.AddrPortFrom(ours.Addr(), 0), netip.AddrPort{}
	for _, c := range []struct {
		addr, before netip.AddrPort
		failures     int
		want         []netip.AddrPort
	}{
		{ours, none, 0, []netip.AddrPort{ours, free}},
		{free, none, 0, []netip.AddrPort{free}},
		{ours, another, 0, []netip.AddrPort{another}},
		{ours, another, 1, []netip.AddrPort{another, ours, free}},
		{ours, ours, 1, []netip.AddrPort{ours, free}},
	} {
		if got := candidates(c.addr, c.before, c.failures); !slices.Equal(got, c.want) {
			t.Errorf("%v after %v and %d failures: %v, want %v", c.addr, c.before, c.failures, got, c.want)
		}
	}
}
