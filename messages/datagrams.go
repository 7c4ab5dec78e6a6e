package messages

import "net/netip"

// Datagram is one UDP datagram; Addr is the other side. IPv4 addresses are
// never mapped into IPv6.
type Datagram struct {
	Addr netip.AddrPort
	Data []byte
}
