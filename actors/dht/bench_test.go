package dht

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
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

// atRest is a node that has come to know n others by messages, two a second:
// each has asked it, was asked whether it is there, and has told its address.
func atRest(n int, seed uint64) *member {
	r := rand.New(rand.NewPCG(seed, 1))
	m := newMember(Config{AtOnce: true}, r)
	m.bound(host(0))
	now := start
	for i := range n {
		addr := host(i + 1)
		id := newID(r, addr.Addr())
		query := krpc.Message{Kind: krpc.Query, Method: krpc.Ping, Transaction: []byte("aa"), ID: id}
		m.received(addr, query.Append(nil), now)
		m.proceed(now)
		for _, d := range m.take().datagrams {
			if asked, err := krpc.Parse(d.Data); err == nil && asked.Kind == krpc.Query {
				reply := krpc.Message{Kind: krpc.Reply, Transaction: asked.Transaction, ID: id, External: m.addr}
				m.received(addr, reply.Append(nil), now)
				m.proceed(now)
				m.take()
			}
		}
		m.out.Flush(func(*actor.PID, any) {})
		now = now.Add(time.Second / 2)
	}
	now = now.Add(timeout)
	m.proceed(now)
	m.take()
	m.out.Flush(func(*actor.PID, any) {})
	return m
}

// BenchmarkMemory tells what a DHT takes that knows 200 nodes, and was told of
// others by the DHT of the other address family: at most 24 KiB.
func BenchmarkMemory(b *testing.B) {
	const count = 100
	for b.Loop() {
		var before, after runtime.MemStats
		all := make([]*member, count)
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range all {
			all[i] = atRest(200, uint64(i))
			all[i].others = make([]messages.DHTContact, sharedNodes)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		known, under := 0, 0
		for _, m := range all {
			n, _ := m.table.count(start)
			known += n
			under += len(m.queries.list) + len(m.lookups)
		}
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/count, "B/dht")
		b.ReportMetric(float64(known)/count, "nodes")
		b.ReportMetric(float64(under)/count, "queries")
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
