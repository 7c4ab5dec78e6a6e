package trackerserver

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"kouzui/wire/announce"
)

// BenchmarkAnnounce is a regular announce in a swarm of 1,000 peers.
func BenchmarkAnnounce(b *testing.B) {
	const peers = 1000
	table, rnd, now := NewTable(Limits{}), newRand(), start
	say := func(n int) announce.Reply {
		r := from(0, int64(n%2))
		binary.BigEndian.PutUint32(r.PeerID[:], uint32(n))
		r.Port = 6881
		return table.Announce(r, netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}), now, rnd)
	}
	for n := range peers {
		say(n)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if r := say(n % peers); len(r.Peers) == 0 {
			b.Fatal(r)
		}
		n++
		now = now.Add(time.Millisecond)
	}
}
