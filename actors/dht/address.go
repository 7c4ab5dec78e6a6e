package dht

import (
	"hash/crc32"
	"math/rand/v2"
	"net/netip"
	"time"

	"kouzui/messages"
	"kouzui/wire/krpc"
)

const (
	// votesNow is how many nodes' words on our address session is told at once;
	// then one in votePause. Nodes tell it with each answer.
	votesNow  = 16
	votePause = 10 * time.Second
	// voteAgain is after how long the same host's word is passed on again.
	voteAgain = 10 * time.Minute
)

// ballot is the words on our address that were passed on to session, which
// counts what nodes and others say.
type ballot struct {
	allowance
	voters [votesNow]voter // the latest
	next   int             // place of the next one
}

type voter struct {
	host netip.AddrPort // as sourceOf has it
	at   time.Time
}

// take tells whether a word is to be passed on.
func (b *ballot) take(from netip.AddrPort, now time.Time) bool {
	host := sourceOf(from)
	for i := range b.voters {
		if v := &b.voters[i]; v.host == host && now.Sub(v.at) < voteAgain {
			return false
		}
	}
	if b.wait(1, now) > 0 {
		return false
	}
	b.allowance.take(1, now)
	b.voters[b.next] = voter{host, now}
	b.next = (b.next + 1) % votesNow
	return true
}

// seenAs takes what a node says of our address (BEP 42).
func (m *member) seenAs(from, addr netip.AddrPort, now time.Time) {
	if addr.Addr() == m.ours.Addr() {
		m.ours = addr
	}
	if m.votes.take(from, now) {
		m.out.Send(m.Refs.Session, &messages.AddressReported{Voter: from, Addr: addr.Addr()})
	}
}

// setAddress takes our address, as most who have told see it.
func (m *member) setAddress(addr netip.Addr, now time.Time) {
	if messages.Family(addr) != m.Family || addr == m.ours.Addr() {
		return
	}
	m.ours = netip.AddrPortFrom(addr, 0)
	m.move(now)
}

// castagnoli is the polynomial of BEP 42.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// idPrefix is the checksum whose first 21 bits begin the id of a node at an
// address, with the low three bits of its last byte (BEP 42).
func idPrefix(a netip.Addr, last byte) uint32 {
	mask := []byte{0x03, 0x0f, 0x3f, 0xff}
	ip := a.AsSlice()
	if !a.Is4() {
		mask = []byte{0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff}
	}
	ip = ip[:len(mask)]
	for i := range ip {
		ip[i] &= mask[i]
	}
	ip[0] |= last & 7 << 5
	return crc32.Checksum(ip, castagnoli)
}

// idFits tells whether a node at an address may have an id (BEP 42). All ids
// fit local addresses.
func idFits(id krpc.ID, a netip.Addr) bool {
	if messages.IsLocal(a) {
		return true
	}
	sum := idPrefix(a, id[19])
	return id[0] == byte(sum>>24) && id[1] == byte(sum>>16) && (id[2]^byte(sum>>8))&0xf8 == 0
}

// newID draws an id that fits an address; any if there is none.
func newID(r *rand.Rand, a netip.Addr) (id krpc.ID) {
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	if a.IsValid() && !messages.IsLocal(a) {
		sum := idPrefix(a, id[19])
		id[0], id[1] = byte(sum>>24), byte(sum>>16)
		id[2] = byte(sum>>8)&0xf8 | id[2]&7
	}
	return id
}
