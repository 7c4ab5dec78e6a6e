package messages

import (
	"net/netip"
	"testing"
)

func TestMayTell(t *testing.T) {
	for _, c := range []struct {
		teller, told string
		want         bool
	}{
		{"50.1.2.3", "60.1.2.3", true},
		{"50.1.2.3", "127.0.0.1", false},
		{"50.1.2.3", "192.168.1.1", false},
		{"50.1.2.3", "0.0.0.0", false},
		{"50.1.2.3", "224.0.0.1", false},
		{"50.1.2.3", "255.255.255.255", false},
		{"50.1.2.3", "2001:db8::1", false},
		{"10.0.0.1", "10.0.0.2", true},
		{"10.0.0.1", "127.0.0.1", false},
		{"10.0.0.1", "50.1.2.3", true},
		{"127.0.0.1", "127.0.0.2", true},
		{"127.0.0.1", "10.0.0.2", true},
		{"2001:db8::1", "2001:db8::2", true},
		{"2001:db8::1", "::1", false},
		{"2001:db8::1", "fe80::1", false},
	} {
		if got := MayTell(netip.MustParseAddr(c.teller), netip.MustParseAddr(c.told)); got != c.want {
			t.Errorf("%s told by %s: %v", c.told, c.teller, got)
		}
	}
}
