package dht

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"kouzui/wire/krpc"
)

// knowing is a node at rest that knows n others.
func knowing(n int, seed uint64) *member {
	r := rand.New(rand.NewPCG(seed, 1))
	m := newMember(Config{}, r)
	m.bound(host(0))
	for i := range n {
		m.table.answered(krpc.Node{ID: newID(r, netip.Addr{}), Addr: host(i + 1)}, time.Millisecond, start)
	}
	return m
}

// BenchmarkMemory tells what a DHT takes that knows 200 nodes: at most 24 KiB.
func BenchmarkMemory(b *testing.B) {
	const count = 500
	for b.Loop() {
		var before, after runtime.MemStats
		all := make([]*member, count)
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range all {
			all[i] = knowing(200, uint64(i))
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		known, _ := all[0].table.count(start)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/count, "B/dht")
		b.ReportMetric(float64(known), "nodes")
		runtime.KeepAlive(all)
	}
}

// BenchmarkReceived handles one query of another node, answer included.
func BenchmarkReceived(b *testing.B) {
	for _, method := range []string{krpc.Ping, krpc.FindNode, krpc.GetPeers} {
		b.Run(method, func(b *testing.B) {
			m := knowing(200, 1)
			q := krpc.Message{Kind: krpc.Query, Method: method, Transaction: []byte("aa"), ID: krpc.ID{3}, Target: krpc.ID{4}}
			raw := q.Append(nil)
			now := start
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				now = now.Add(time.Second)
				m.received(host(1000+i%1000), raw, now)
				m.proceed(now)
				m.next(now)
				m.take()
			}
		})
	}
}

// BenchmarkVillage plays a DHT in virtual time, from nothing to nodes that all
// have found what one of them announced.
func BenchmarkVillage(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				u := village(b, n)
				hash := krpc.ID{1, 2, 3}
				u.want(u.order[0], hash, 4000)
				u.run(time.Minute)
				found := 0
				for _, m := range u.order[1:] {
					torrent := u.want(m, hash, 0)
					u.run(time.Second)
					found += min(1, len(u.peers[torrent]))
				}
				b.ReportMetric(float64(found)/float64(n-1), "found")
				b.ReportMetric(float64(u.sent), "events")
			}
		})
	}
}
