package torrent

import (
	"net/netip"
	"testing"

	"kouzui/messages"
)

// What is kept for peers that are restarted has room for each source: one that
// tells thousands of addresses takes none from another, nor from the user.
func TestNoSourceTakesWhatIsKeptOfAnother(t *testing.T) {
	addr := func(network byte, n int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, network, byte(n >> 8), byte(n)}), 6881)
	}
	c := newCandidates([]netip.AddrPort{addr(9, 0)}, nil)
	for n := range 100 {
		c.remember(messages.PeerAddr{Addr: addr(1, n), Source: messages.TrackerTier(1)})
	}
	for n := range 3 * maxCandidates {
		c.remember(messages.PeerAddr{Addr: addr(0, n), Source: messages.TrackerTier(0)})
	}
	counts := map[messages.Source]int{}
	for _, a := range c.all() {
		counts[a.Source]++
	}
	if len(c.known) != maxCandidates || counts[messages.Manual] != 1 || counts[messages.TrackerTier(1)] != 100 {
		t.Errorf("of %d addresses are kept %v", len(c.known), counts)
	}
	if _, kept := c.known[addr(0, 3*maxCandidates-1)]; !kept {
		t.Error("the newest address is not kept")
	}
}
