//go:build !linux

package real

import "net/netip"

// defaultRouter is known on Linux alone. UPnP needs no router's address.
func defaultRouter(string) (netip.Addr, error) { return netip.Addr{}, errNoRouter }
