package krpc

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// reserve is what a reply needs at most beside nodes, values, samples and
// filters, in bytes.
const reserve = 100 + MaxTransaction + MaxToken

// Append appends the message as it goes on the wire, in at most MaxSize bytes.
// Of values, samples and nodes of IPv6, in this order, as many are left out at
// the end as do not fit. A message must have a Transaction of at most
// MaxTransaction bytes, a Token of at most MaxToken, at most eight nodes of
// each family, and a short Text.
func (m *Message) Append(dst []byte) []byte {
	dst = append(dst, 'd')
	switch m.Kind {
	case Query:
		dst = m.appendArguments(append(dst, "1:a"...))
	case Error:
		dst = appendInt(append(dst, "1:el"...), int64(m.Code))
		dst = append(appendString(dst, m.Text), 'e')
	}
	if m.External.IsValid() {
		dst = appendString(dst, "ip")
		dst = appendAddr(dst, m.External)
	}
	switch m.Kind {
	case Query:
		dst = appendString(append(dst, "1:q"...), m.Method)
	case Reply:
		dst = m.appendReply(append(dst, "1:r"...))
	}
	if m.ReadOnly {
		dst = append(dst, "2:roi1e"...)
	}
	dst = appendString(append(dst, "1:t"...), m.Transaction)
	if len(m.Version) > 0 {
		dst = appendString(append(dst, "1:v"...), m.Version)
	}
	return append(append(dst, "1:y1:"...), byte(m.Kind), 'e')
}

func (m *Message) appendArguments(dst []byte) []byte {
	dst = appendString(append(dst, "d2:id"...), m.ID[:])
	announce, get := m.Method == AnnouncePeer, m.Method == GetPeers
	if announce && m.Implied {
		dst = appendFlag(dst, "implied_port")
	}
	if announce || get {
		dst = appendString(appendString(dst, "info_hash"), m.Target[:])
	}
	if get && m.NoSeeds {
		dst = appendFlag(dst, "noseed")
	}
	if announce {
		dst = appendInt(appendString(dst, "port"), int64(m.Port))
	}
	if get && m.Scrape {
		dst = appendFlag(dst, "scrape")
	}
	if announce {
		if m.Seed {
			dst = appendFlag(dst, "seed")
		}
		dst = appendString(appendString(dst, "token"), m.Token)
	}
	if m.Method == FindNode || m.Method == Sample {
		dst = appendString(appendString(dst, "target"), m.Target[:])
	}
	if m.Want != 0 {
		dst = append(appendString(dst, "want"), 'l')
		if m.Want&N4 != 0 {
			dst = appendString(dst, "n4")
		}
		if m.Want&N6 != 0 {
			dst = appendString(dst, "n6")
		}
		dst = append(dst, 'e')
	}
	return append(dst, 'e')
}

func (m *Message) appendReply(dst []byte) []byte {
	room := MaxSize - reserve - (26*len(m.Nodes) + 12)
	dst = append(dst, 'd')
	if m.Peers != nil {
		dst = appendString(appendString(dst, "BFpe"), m.Peers[:])
		room -= len(m.Peers) + 10
	}
	if m.Seeds != nil {
		dst = appendString(appendString(dst, "BFsd"), m.Seeds[:])
		room -= len(m.Seeds) + 10
	}
	dst = appendString(appendString(dst, "id"), m.ID[:])
	if m.Sampled {
		dst = appendInt(appendString(dst, "interval"), int64(m.Interval))
		room -= 50
	}
	dst = appendNodes(dst, "nodes", m.Nodes)
	nodes6 := m.Nodes6[:min(len(m.Nodes6), max(0, room-15)/38)]
	dst = appendNodes(dst, "nodes6", nodes6)
	room -= 38*len(nodes6) + 15
	if m.Sampled {
		dst = appendInt(appendString(dst, "num"), int64(m.Stored))
		samples := m.Samples[:min(len(m.Samples), max(0, room-15)/len(ID{}))]
		dst = append(appendString(dst, "samples"), strconv.Itoa(len(samples)*len(ID{}))+":"...)
		for i := range samples {
			dst = append(dst, samples[i][:]...)
		}
		room -= len(samples)*len(ID{}) + 15
	}
	if len(m.Token) > 0 {
		dst = appendString(appendString(dst, "token"), m.Token)
	}
	if room -= len("6:valuesle"); len(m.Values) > 0 && room > 0 {
		dst = append(appendString(dst, "values"), 'l')
		for _, addr := range m.Values {
			size := 2 + 4 + 2
			if !addr.Addr().Is4() {
				size = 3 + 16 + 2
			}
			if room -= size; room < 0 {
				break
			}
			dst = appendAddr(dst, addr)
		}
		dst = append(dst, 'e')
	}
	return append(dst, 'e')
}

func appendNodes(dst []byte, key string, nodes []Node) []byte {
	if len(nodes) == 0 {
		return dst
	}
	size := len(ID{}) + 2 + nodes[0].Addr.Addr().BitLen()/8
	dst = appendString(dst, key)
	dst = append(strconv.AppendInt(dst, int64(size*len(nodes)), 10), ':')
	for i := range nodes {
		dst = append(dst, nodes[i].ID[:]...)
		dst = appendCompact(dst, nodes[i].Addr)
	}
	return dst
}

func appendAddr(dst []byte, a netip.AddrPort) []byte {
	dst = append(strconv.AppendInt(dst, int64(a.Addr().BitLen()/8+2), 10), ':')
	return appendCompact(dst, a)
}

// appendCompact appends the address and the port, both big endian.
func appendCompact(dst []byte, a netip.AddrPort) []byte {
	if a.Addr().Is4() {
		ip := a.Addr().As4()
		dst = append(dst, ip[:]...)
	} else {
		ip := a.Addr().As16()
		dst = append(dst, ip[:]...)
	}
	return binary.BigEndian.AppendUint16(dst, a.Port())
}

func appendString[T string | []byte](dst []byte, s T) []byte {
	dst = append(strconv.AppendInt(dst, int64(len(s)), 10), ':')
	return append(dst, s...)
}

func appendInt(dst []byte, n int64) []byte {
	return append(strconv.AppendInt(append(dst, 'i'), n, 10), 'e')
}

func appendFlag(dst []byte, key string) []byte {
	return append(appendString(dst, key), "i1e"...)
}
