package dht

import (
	"hash/crc32"
	"math/rand/v2"
	"net/netip"
	"slices"

	"kouzui/wire/krpc"
)

const (
	// voters is how many votes on our address are kept: the latest.
	voters = 16
	// enoughVotes is how many of them must agree on an address for us to believe
	// it; more than half of all that are kept.
	enoughVotes = 4
)

// election is what others say of our address (BEP 42). Each of their hosts has
// one vote.
type election struct {
	votes []vote // oldest first
	ours  netip.AddrPort
}

type vote struct {
	voter netip.AddrPort // as sourceOf has it
	addr  netip.AddrPort
}

// vote counts one, and tells whether we believe in another address since.
func (a *election) vote(voter, addr netip.AddrPort) (changed bool) {
	if !mayTell(voter.Addr(), addr.Addr()) {
		return false
	}
	voter = sourceOf(voter)
	a.votes = slices.DeleteFunc(a.votes, func(v vote) bool { return v.voter == voter })
	if len(a.votes) == voters {
		a.votes = slices.Delete(a.votes, 0, 1)
	}
	a.votes = append(a.votes, vote{voter, addr})
	agreed := 0
	for _, v := range a.votes {
		if v.addr.Addr() == addr.Addr() {
			agreed++
		}
	}
	if agreed < enoughVotes || 2*agreed <= len(a.votes) {
		return false
	}
	changed = a.ours.Addr() != addr.Addr()
	a.ours = addr
	return changed
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
	if local(a) {
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
	if a.IsValid() && !local(a) {
		sum := idPrefix(a, id[19])
		id[0], id[1] = byte(sum>>24), byte(sum>>16)
		id[2] = byte(sum>>8)&0xf8 | id[2]&7
	}
	return id
}
