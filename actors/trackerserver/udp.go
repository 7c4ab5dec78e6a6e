package trackerserver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/udptracker"
)

// A connection ID (BEP 15) is valid until the end of the connectionSlots-th
// slot after that in which it was given: for two minutes at least, as long as a
// client may use it.
const (
	connectionSlot  = time.Minute
	connectionSlots = 2
)

// refusal is what an address gets that shows no valid connection ID.
const refusal = "Connection ID mismatch"

// Key makes connection IDs that nobody else can make.
type Key [32]byte

// connection is the connection ID of an address in a slot of time. It needs no
// memory: who shows it has received it at that address.
func (k *Key) connection(a netip.Addr, slot int64) uint64 {
	mac := hmac.New(sha256.New, k[:])
	b := a.As16()
	mac.Write(binary.BigEndian.AppendUint64(b[:], uint64(slot)))
	return binary.BigEndian.Uint64(mac.Sum(nil))
}

func (k *Key) valid(connection uint64, a netip.Addr, now time.Time) bool {
	for slot := range int64(connectionSlots + 1) {
		if connection == k.connection(a, slotOf(now)-slot) {
			return true
		}
	}
	return false
}

func slotOf(now time.Time) int64 { return now.UnixNano() / int64(connectionSlot) }

// answerUDP answers a packet with nil if it is to be ignored. An address that
// has not shown a connection ID, which may be somebody's whom the sender wants
// harmed, gets no more bytes than it seems to have sent.
func (t *Table) answerUDP(packet []byte, remote netip.AddrPort, key *Key, now time.Time, rnd *rand.Rand) []byte {
	from := t.limits.source(remote.Addr(), "")
	r, err := udptracker.ParseRequest(packet)
	switch {
	case errors.Is(err, udptracker.ErrNoRequest):
		return nil
	case r.Action == udptracker.Connect:
		return udptracker.AppendConnected(nil, r.Transaction, key.connection(from, slotOf(now)))
	case !key.valid(r.Connection, from, now):
		answer := udptracker.AppendFailed(nil, r.Transaction, refusal)
		return answer[:min(len(answer), len(packet))]
	case err != nil:
		return udptracker.AppendFailed(nil, r.Transaction, err.Error())
	case r.Action == udptracker.Scrape:
		return t.scrapeUDP(r)
	}
	six := messages.Family(from) == messages.IPv6
	reply := t.announce(r.Announce, from, now, rnd, func(a netip.Addr) bool { return a.Is6() == six })
	if reply.Failure != "" {
		return udptracker.AppendFailed(nil, r.Transaction, reply.Failure)
	}
	return udptracker.AppendReply(nil, r.Transaction, reply, six)
}

// scrapeUDP answers a scrape: torrents without peers have zeros.
func (t *Table) scrapeUDP(r udptracker.Request) []byte {
	files, err := t.Scrape(r.Torrents)
	if err != nil {
		return udptracker.AppendFailed(nil, r.Transaction, err.Error())
	}
	all := make([]announce.Stats, len(r.Torrents))
	for i, h := range r.Torrents {
		all[i] = files[h]
	}
	return udptracker.AppendScraped(nil, r.Transaction, all)
}
