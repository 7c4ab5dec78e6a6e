package messages

import (
	"net/netip"
	"testing"
)

func TestHostOf(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1":                "192.0.2.1",
		"::ffff:192.0.2.1":         "192.0.2.1",
		"2001:db8:1:2:3:4:5:6":     "2001:db8:1:2::",
		"fe80::1%eth0":             "fe80::",
		"2001:db8:1:2:ffff:4:5:60": "2001:db8:1:2::",
	} {
		if got := HostOf(netip.MustParseAddr(addr)); got != netip.MustParseAddr(want) {
			t.Errorf("%s belongs to %v, want %s", addr, got, want)
		}
	}
	if HostOf(netip.Addr{}) != (netip.Addr{}) {
		t.Error("no address belongs to somebody")
	}
}
