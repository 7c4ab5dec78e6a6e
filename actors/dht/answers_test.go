package dht

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
	"kouzui/wire/krpc"
)

// longReply is what bittorrent-dht of npm answers that knows so many nodes: all
// of them. Append does not write that.
func longReply(q krpc.Message, id byte, nodes []krpc.Node) []byte {
	raw := []byte("d1:rd2:id20:")
	node := krpc.ID{id}
	raw = append(raw, node[:]...)
	raw = fmt.Appendf(raw, "5:nodes%d:", 26*len(nodes))
	for _, n := range nodes {
		ip := n.Addr.Addr().As4()
		raw = append(append(raw, n.ID[:]...), ip[:]...)
		raw = append(raw, byte(n.Addr.Port()>>8), byte(n.Addr.Port()))
	}
	raw = fmt.Appendf(raw, "e1:t%d:%s1:y1:re", len(q.Transaction), q.Transaction)
	return raw
}

// TestLongAnswersAreReadOfWhoWasAsked: the only node that we begin with names
// all that it knows, in more than an Ethernet frame holds. From one that was
// not asked so much is not even decoded.
func TestLongAnswersAreReadOfWhoWasAsked(t *testing.T) {
	m, sent := alone(t, Config{})
	first := sent()[0]
	q := parse(t, first)
	raw := longReply(q, 9, random(rand.New(rand.NewPCG(1, 1)), 400))
	if len(raw) < 10_000 {
		t.Fatalf("%d bytes", len(raw))
	}
	stranger := host(99)
	query := krpc.Message{Kind: krpc.Query, Method: krpc.Ping, Transaction: []byte("aa"), ID: krpc.ID{7}}
	long := append(query.Append(nil)[:0:0], query.Append(nil)...)
	long = append(long[:len(long)-1], fmt.Sprintf("1:z%d:%s", krpc.MaxFrame, make([]byte, krpc.MaxFrame))...)
	m.received(stranger, append(long, 'e'), start)
	m.proceed(start)
	for _, d := range sent() {
		if d.Addr == stranger {
			t.Error("a long query is answered")
		}
	}
	m.received(first.Addr, raw, start)
	m.proceed(start)
	if asked := len(sent()); asked < alpha-1 {
		t.Errorf("of the nodes that it names %d are asked", asked)
	}
}

// TestOurAddressIsAskedOfSession: what nodes say of our address is passed on,
// not all of it, and believed when session says so: then our id fits.
func TestOurAddressIsAskedOfSession(t *testing.T) {
	m, _ := alone(t, Config{})
	ours := netip.MustParseAddrPort("70.1.2.3:99")
	told := 0
	for i := range 3 * votesNow {
		for range 3 {
			m.seenAs(host(i), ours, start)
		}
	}
	m.out.Flush(func(_ *actor.PID, what any) {
		if r, is := what.(*messages.AddressReported); is && r.Addr == ours.Addr() {
			told++
		}
	})
	if told != votesNow || m.ours.IsValid() {
		t.Errorf("session is told %d times, and we are at %v", told, m.ours)
	}
	m.setAddress(netip.MustParseAddr("2001:db8::1"), start)
	if m.ours.IsValid() {
		t.Error("an address of the other family is taken")
	}
	m.setAddress(ours.Addr(), start)
	m.seenAs(host(1), ours, start)
	if m.ours != ours || !idFits(m.table.self, ours.Addr()) {
		t.Errorf("we are at %v with the id %v", m.ours, m.table.self)
	}
}
