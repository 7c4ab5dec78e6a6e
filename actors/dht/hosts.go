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
	if local(a.Addr()) {
		return a
	}
	return netip.AddrPortFrom(messages.HostOf(a.Addr()), 0)
}

// local tells whether an address is one of this machine or a private network.
func local(a netip.Addr) bool { return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() }

// mayTell tells whether we believe a node that somebody else is at an address:
// nobody leads us from the public network into this machine or a private one.
func mayTell(teller, told netip.Addr) bool {
	switch {
	case told.IsUnspecified() || told.IsMulticast() || told == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || told.BitLen() != teller.BitLen():
		return false
	case told.IsLoopback():
		return teller.IsLoopback()
	case local(told):
		return local(teller)
	}
	return true
}

// subnetOf is the part of the network in which a lookup has one node: a /24 of
// IPv4, a /64 of IPv6; each address by itself where addresses are local.
func subnetOf(a netip.AddrPort) netip.AddrPort {
	if local(a.Addr()) || !a.Addr().Is4() {
		return sourceOf(a)
	}
	ip := a.Addr().As4()
	ip[3] = 0
	return netip.AddrPortFrom(netip.AddrFrom4(ip), 0)
}
