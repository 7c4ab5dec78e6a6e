package dht

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
	"kouzui/wire/krpc"
	"kouzui/wire/metainfo"
)

// TestTheSilentAreNotWaitedFor: in a small DHT most of whose nodes are gone, a
// question is answered soon, by the nodes that are there; and if these are
// slow, by those that are slow.
func TestTheSilentAreNotWaitedFor(t *testing.T) {
	hash, peer := krpc.ID{1, 2, 3}, netip.AddrPortFrom(host(0).Addr(), 4000)
	for _, tc := range []struct{ oneWay, within time.Duration }{
		{20 * time.Millisecond, 2*patience + 2*shortTimeout},
		{2 * time.Second, 3 * timeout},
	} {
		u := village(t, 7)
		u.order[1].stored.announce(hash, peer, false, u.now)
		for i := 3; i < 7; i++ { // they are gone
			delete(u.nodes, host(i))
		}
		asker := newMember(Config{Nodes: []netip.AddrPort{host(4), host(0), host(1), host(2), host(5)}, ReadOnly: true}, u.rand)
		asker.bound(host(1000))
		u.nodes[host(1000)] = asker
		u.delay = func(netip.AddrPort, netip.AddrPort) time.Duration { return tc.oneWay }
		asked := u.now
		var took time.Duration
		var found messages.DHTPeers
		asker.inquire(&messages.QueryDHTPeers{InfoHash: metainfo.Hash(hash), Reply: func(a messages.DHTPeers) { found, took = a, u.now.Sub(asked) }})
		u.settle(asker)
		u.run(2 * time.Minute)
		if took == 0 || took > tc.within || !slices.Equal(found.Peers, []netip.AddrPort{peer}) || found.Answered < 1 {
			t.Errorf("%v one way: after %v %d nodes tell %v", tc.oneWay, took, found.Answered, found.Peers)
		}
	}
}

// TestNamesThatComeLateAreUsed: an earlier node has answered, and knows nobody,
// when the addresses of a bootstrap node are there.
func TestNamesThatComeLateAreUsed(t *testing.T) {
	u := village(t, 10)
	m := u.join(host(100), host(101)) // which nobody else knows
	u.join(host(101))
	u.run(5 * time.Second)
	// With a third the four would agree on its address, and it would move.
	m.named([]netip.AddrPort{host(1), host(2)}, u.now)
	u.settle(m)
	u.run(5 * time.Second)
	if alive := m.table.alive(); alive <= 3 { // no more than what pings would find
		t.Errorf("it knows %d nodes", alive)
	}
}

// TestOurAddressMayComeBeforeASearch: trackers and peers tell our address while
// nobody looks for anything yet. The DHT takes an id that fits, and rests.
func TestOurAddressMayComeBeforeASearch(t *testing.T) {
	m := newMember(Config{}, rand.New(rand.NewPCG(1, 1)))
	m.bound(host(1000))
	m.setAddress(host(1000).Addr(), start)
	m.proceed(start)
	m.out.Flush(func(*actor.PID, any) {})
	at := m.next(start)
	if sent := m.take().datagrams; !at.IsZero() || sent != nil || !idFits(m.table.self, host(1000).Addr()) {
		t.Errorf("with the id %v it is due at %v, and has sent %v", m.table.self, at, sent)
	}
}
