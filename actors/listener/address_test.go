package listener

import (
	"net/netip"
	"slices"
	"testing"
)

func TestCandidates(t *testing.T) {
	bound := netip.MustParseAddrPort("[::]:6882")
	for _, c := range []struct {
		listen string
		before netip.AddrPort
		want   []string
	}{
		{":6881", netip.AddrPort{}, []string{":6881"}},
		{"127.0.0.1:0", netip.AddrPort{}, []string{"127.0.0.1:0"}},
		{"127.0.0.1:0", bound, []string{"127.0.0.1:6882", "127.0.0.1:0"}},
		{"[::1]:6881-6883", netip.AddrPort{}, []string{"[::1]:6881", "[::1]:6882", "[::1]:6883"}},
		{":6881-6883", bound, []string{":6882", ":6881", ":6883"}},
		{":6881-6882,0", netip.AddrPort{}, []string{":6881", ":6882", ":0"}},
		{":65535-65535", netip.AddrPort{}, []string{":65535"}},
	} {
		got, err := candidates(c.listen, c.before)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s after %v: %v, %v", c.listen, c.before, got, err)
		}
	}
	for _, bad := range []string{
		"", "6881", ":", ":x", ":-1", ":65536", ":6889-6881", ":0-9", ":1-", ":-", ":1-65535", "::1:6881", ":1-2-3", ":1,", ":,",
	} {
		if got, err := candidates(bad, netip.AddrPort{}); err == nil {
			t.Errorf("%q gives %v", bad, got)
		}
	}
}
