package session

import (
	"net/netip"

	"kouzui/messages"
)

var anywhere = [...]netip.Addr{messages.IPv4: netip.IPv4Unspecified(), messages.IPv6: netip.IPv6Unspecified()}

// Families tells for which families there are UDP sockets, if we listen at
// host: that of a literal address, or both.
func Families(host string) (families [2]bool) {
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.IsUnspecified() {
		return [2]bool{true, true}
	}
	families[messages.Family(addr)] = true
	return families
}

// socketAddr is where the UDP socket of a family is bound: where the listener
// is or was, or at host with any port. It is not ok if TCP is not of this
// family, or if that is not known.
func socketAddr(family int, listener netip.AddrPort, host string) (addr netip.AddrPort, ok bool) {
	at := listener.Addr()
	switch literal, err := netip.ParseAddr(host); {
	case at.IsValid():
	case err == nil:
		at = literal
	case host == "":
		at = anywhere[family]
	default:
		return addr, false
	}
	if at.IsUnspecified() {
		at = anywhere[family]
	}
	return netip.AddrPortFrom(at, listener.Port()), messages.Family(at) == family
}

// bindSockets waits for the listener's first word, as UDP has TCP's port.
func (r *registry) bindSockets() {
	for family, socket := range r.refs.Sockets {
		if socket == nil || !r.tried {
			continue
		}
		if addr, ok := socketAddr(family, r.addr, r.host); ok {
			r.out.Send(socket, &messages.BindSocket{Addr: addr, Before: r.sockets[family]})
		}
	}
}
