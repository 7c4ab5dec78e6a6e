package extended

import (
	"encoding/binary"
	"net/netip"

	"github.com/anacrolix/torrent/bencode"

	"kouzui/wire/announce"
	"kouzui/wire/metainfo/dict"
)

// MaxContacts is how many peers of a message are read: those that came, and as
// many of those that left. BEP 11 permits 50; libtorrent sends up to 100.
const MaxContacts = 100

// Contact flags (BEP 11).
const (
	PrefersEncryption byte = 1 << iota
	IsSeed
	SpeaksUTP
	SpeaksHolepunch
	WasDialled // by the side that tells of the peer
)

// Contact is a peer that the other side tells of.
type Contact struct {
	Addr  netip.AddrPort
	Flags byte
}

// ExchangeMessage tells which peers a side is connected with since its last
// message, and with which it no longer is (BEP 11).
type ExchangeMessage struct {
	Added   []Contact
	Dropped []netip.AddrPort
}

// exchangeKeys are the keys of one address family.
type exchangeKeys struct {
	added, flags, dropped string
	size                  int // bytes of an address
}

var exchangeFamilies = [...]exchangeKeys{
	{"added", "added.f", "dropped", 4},
	{"added6", "added6.f", "dropped6", 16},
}

const portLen = 2

// Append appends the message as it goes on the wire.
func (m ExchangeMessage) Append(dst []byte) []byte {
	d := map[string]any{}
	for _, family := range exchangeFamilies {
		added, flags, dropped := []byte{}, []byte{}, []byte{}
		for _, c := range m.Added {
			if family.has(c.Addr) {
				added, flags = appendAddr(added, c.Addr), append(flags, c.Flags)
			}
		}
		for _, addr := range m.Dropped {
			if family.has(addr) {
				dropped = appendAddr(dropped, addr)
			}
		}
		d[family.added], d[family.flags], d[family.dropped] = added, flags, dropped
	}
	return append(dst, bencode.MustMarshal(d)...)
}

func (f exchangeKeys) has(addr netip.AddrPort) bool {
	return addr.Addr().Unmap().BitLen() == f.size*8
}

func appendAddr(dst []byte, addr netip.AddrPort) []byte {
	dst = append(dst, addr.Addr().Unmap().AsSlice()...)
	return binary.BigEndian.AppendUint16(dst, addr.Port())
}

// ParseExchange reads a message about peers. What is no address that could be
// dialled is left out.
func ParseExchange(payload []byte) (ExchangeMessage, error) {
	var m ExchangeMessage
	d, _, err := dict.Read(payload, dict.Limits{Keys: maxKeys, Values: maxValues})
	if err != nil {
		return m, err
	}
	for _, family := range exchangeFamilies {
		flags, _ := d.Bytes(family.flags)
		added, _ := d.Bytes(family.added)
		for i := 0; len(added) >= family.size+portLen && len(m.Added) < MaxContacts; i++ {
			c := Contact{Addr: family.next(&added)}
			if i < len(flags) {
				c.Flags = flags[i]
			}
			if announce.CanBeDialled(c.Addr) {
				m.Added = append(m.Added, c)
			}
		}
		dropped, _ := d.Bytes(family.dropped)
		for len(dropped) >= family.size+portLen && len(m.Dropped) < MaxContacts {
			if addr := family.next(&dropped); announce.CanBeDialled(addr) {
				m.Dropped = append(m.Dropped, addr)
			}
		}
	}
	return m, nil
}

// next takes the first address of a list.
func (f exchangeKeys) next(list *[]byte) netip.AddrPort {
	raw := *list
	*list = raw[f.size+portLen:]
	addr, _ := netip.AddrFromSlice(raw[:f.size])
	return netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(raw[f.size:]))
}
