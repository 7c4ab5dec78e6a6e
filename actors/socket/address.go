package socket

import (
	"net/netip"
	"slices"
)

// candidates are the addresses to be tried, in this order: the one of before,
// at which others know us, the one that was asked for, and any port there. For
// one that was bound before, the first try is for that one alone.
func candidates(addr, before netip.AddrPort, failures int) []netip.AddrPort {
	if before.IsValid() && failures == 0 {
		return []netip.AddrPort{before}
	}
	list := []netip.AddrPort{addr, netip.AddrPortFrom(addr.Addr(), 0)}
	if before.IsValid() {
		list = slices.Insert(list, 0, before)
	}
	return slices.Compact(list)
}
