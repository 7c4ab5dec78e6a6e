package messages

import "net/netip"

// HostOf is the address under which connections of one host are counted: an
// IPv4 address, or the IPv6 prefix of 64 bits that one subscriber commonly has.
func HostOf(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	subscriber, _ := a.Prefix(64)
	return subscriber.Addr()
}

// IsLocal tells whether an address is one of this machine or a private network.
func IsLocal(a netip.Addr) bool { return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() }

// MayTell tells whether we believe a host that somebody, or we ourselves, are
// at an address: nobody leads us from the public network into this machine or a
// private one.
func MayTell(teller, told netip.Addr) bool {
	switch {
	case told.IsUnspecified() || told.IsMulticast() || told == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || told.BitLen() != teller.BitLen():
		return false
	case told.IsLoopback():
		return teller.IsLoopback()
	case IsLocal(told):
		return IsLocal(teller)
	}
	return true
}
