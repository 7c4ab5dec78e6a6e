package dht

import (
	"net/netip"

	"kouzui/messages"
)

// sourceOf names whom an address belongs to, with what is said of the address:
// a host of the public network, whatever the port, and at addresses of this
// machine and of private networks each port, as tests and NATs have many nodes
// there.
func sourceOf(a netip.AddrPort) netip.AddrPort {
	if messages.IsLocal(a.Addr()) {
		return a
	}
	return netip.AddrPortFrom(messages.HostOf(a.Addr()), 0)
}

// subnetOf is the part of the network in which a lookup has one node: a /24 of
// IPv4, a /64 of IPv6; each address by itself where addresses are local.
func subnetOf(a netip.AddrPort) netip.AddrPort {
	if messages.IsLocal(a.Addr()) || !a.Addr().Is4() {
		return sourceOf(a)
	}
	ip := a.Addr().As4()
	ip[3] = 0
	return netip.AddrPortFrom(netip.AddrFrom4(ip), 0)
}
