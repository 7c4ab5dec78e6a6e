package extended

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Priority is that of a connection between two addresses (BEP 40): the same for
// both sides, and chosen by neither. If all clients that can not have all
// connections prefer those of high priority, a swarm stays well mixed. It is 0
// if one address is IPv4 and the other is IPv6.
func Priority(a, b netip.AddrPort) uint32 {
	x, y := a.Addr().Unmap(), b.Addr().Unmap()
	if x.Is4() != y.Is4() {
		return 0
	}
	if x == y {
		low, high := min(a.Port(), b.Port()), max(a.Port(), b.Port())
		var ports [4]byte
		binary.BigEndian.PutUint16(ports[:], low)
		binary.BigEndian.PutUint16(ports[2:], high)
		return crc32.Checksum(ports[:], castagnoli)
	}
	s, t := x.As16(), y.As16()
	from := 0
	if x.Is4() {
		from = 12 // where an IPv4 address lies in its IPv6 form
	}
	one, other := s[from:], t[from:]
	maskAlike(one, other)
	if bytes.Compare(one, other) > 0 {
		one, other = other, one
	}
	return crc32.Update(crc32.Checksum(one, castagnoli), castagnoli, other)
}

// maskAlike takes out of two addresses every second bit of most bytes beyond
// those of the network that they share, which whoever has a whole network could
// choose.
func maskAlike(a, b []byte) {
	// Bytes that are kept when none, or some, are alike: /16 and /24 of IPv4, /48
	// and further bytes of IPv6.
	keep, most := 2, 4
	if len(a) == 16 {
		keep, most = 6, 16
	}
	for keep < most && bytes.Equal(a[:keep], b[:keep]) {
		keep++
	}
	for i := keep; i < len(a); i++ {
		a[i] &= 0x55
		b[i] &= 0x55
	}
}
