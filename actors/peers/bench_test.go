package peers

import (
	"testing"
	"time"

	"kouzui/messages"
)

// BenchmarkCandidates is a dial that fails, and a new address for which another
// is forgotten, when as many are known as are kept.
func BenchmarkCandidates(b *testing.B) {
	c, rnd, now := newCandidates(DefaultMax, messages.AllowEncryption), seeded(), start
	n := 0
	find := func() {
		c.add(messages.PeerAddr{Addr: addrOf(n % (4 * maxCandidates))})
		n++
	}
	for range maxCandidates {
		find()
	}
	b.ReportAllocs()
	for b.Loop() {
		if x, due := c.next(now, rnd); x == nil {
			now = due
		} else {
			c.dialled(x.addr, now)
			c.gone(x.addr, messages.GoneDial, now, rnd)
		}
		find()
		now = now.Add(time.Millisecond)
	}
}

// BenchmarkJoin is a connection that comes in and ends, among 5,000 others.
func BenchmarkJoin(b *testing.B) {
	const others = 5000
	k := crowd(others)
	b.ReportAllocs()
	for b.Loop() {
		k.ended(join(k, others))
	}
}
