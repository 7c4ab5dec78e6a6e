package trackerserver

import (
	"net/netip"
	"testing"

	"kouzui/wire/announce"
)

// Nobody is believed to have another address than the one that the tracker
// sees, unless the user says whom to believe.
func TestWhoseOwnAddressIsBelieved(t *testing.T) {
	own, own6 := netip.MustParseAddr("203.0.113.5"), netip.MustParseAddr("2001:db8::5")
	limits := Limits{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/16")}}
	for remote, trusted := range map[string]bool{
		"10.1.2.3": true, "fd00::1": true, "::ffff:10.0.0.1": true,
		"127.0.0.1": false, "192.168.0.1": false, "::1": false, "198.51.100.1": false, "2001:db8::1": false, "::ffff:198.51.100.1": false,
	} {
		addr := netip.MustParseAddr(remote)
		want, want6 := addr.Unmap(), addr.Unmap()
		if trusted {
			want, want6 = own, own6
		}
		if got := limits.address(announce.Request{IP: own, IPv6: own6}, addr); got != want {
			t.Errorf("from %s: %v, want %v", remote, got, want)
		}
		if got := limits.address(announce.Request{IPv6: own6}, addr); got != want6 {
			t.Errorf("from %s: %v, want %v", remote, got, want6)
		}
		if got := limits.address(announce.Request{IP: netip.IPv4Unspecified()}, addr); got != addr.Unmap() {
			t.Errorf("from %s: %v", remote, got)
		}
		if got := (&Limits{}).address(announce.Request{IP: own}, addr); got != addr.Unmap() {
			t.Errorf("from %s, by default: %v", remote, got)
		}
	}
}

// X-Forwarded-For counts as far as trusted proxies have written it.
func TestForWhomAProxyAsks(t *testing.T) {
	limits := Limits{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8")}}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"127.0.0.1", "203.0.113.5", "203.0.113.5"},
		{"127.0.0.1", "192.0.2.66, 203.0.113.5", "203.0.113.5"}, // the first one is the client's own word
		{"127.0.0.1", "192.0.2.66, 203.0.113.5,10.0.0.2", "203.0.113.5"},
		{"::ffff:127.0.0.1", "[2001:db8::5]:443", "2001:db8::5"},
		{"127.0.0.1", "203.0.113.5:77", "203.0.113.5"},
		{"127.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"},
		{"127.0.0.1", "", "127.0.0.1"},
		{"127.0.0.1", "203.0.113.5, unknown", "127.0.0.1"},
		{"127.0.0.1", "10.0.0.7", "10.0.0.7"},
		{"198.51.100.7", "203.0.113.5", "198.51.100.7"},
		{"192.168.1.1", "203.0.113.5", "192.168.1.1"},
	} {
		if got := limits.source(netip.MustParseAddr(c.remote), c.forwarded); got.String() != c.want {
			t.Errorf("%s for %q: %v, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}
