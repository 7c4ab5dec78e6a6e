package dht

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

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

// TestNodesOfBothFamiliesAreNamed: to those who want them, the nearest that the
// DHT of the other family has told; nobody is told of those it did not ask for.
func TestNodesOfBothFamiliesAreNamed(t *testing.T) {
	six := newMember(Config{Family: messages.IPv6}, rand.New(rand.NewPCG(2, 2)))
	six.bound(netip.MustParseAddrPort("[2001:db8::1]:6881"))
	for i := range 2 * sharedNodes {
		addr := netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, byte(i), 15: 1}), 6881)
		six.table.answered(krpc.Node{ID: krpc.ID{byte(i), 1}, Addr: addr}, time.Millisecond, start)
	}
	local := netip.MustParseAddrPort("[::1]:6881")
	six.table.answered(krpc.Node{ID: krpc.ID{200}, Addr: local}, 0, start)
	if !slices.ContainsFunc(six.table.best(start, sharedNodes), func(n krpc.Node) bool { return n.Addr == local }) {
		t.Fatal("a node of this machine is not among the best")
	}
	six.Refs.DHT[messages.IPv4] = actor.NewPID("here", "dht4")
	six.report(start)
	var shared []messages.DHTContact
	six.out.Flush(func(to *actor.PID, what any) {
		if list, is := what.(*messages.NodesListed); is && to == six.Refs.DHT[messages.IPv4] {
			shared = list.Nodes
		}
	})
	if len(shared) != sharedNodes-1 {
		t.Fatalf("%d nodes are told", len(shared))
	}
	m, _ := alone(t, Config{})
	m.others = shared
	m.table.answered(krpc.Node{ID: krpc.ID{9}, Addr: host(9)}, 0, start)
	for _, tc := range []struct {
		want        krpc.Want
		four, other bool
	}{{0, true, false}, {krpc.N4, true, false}, {krpc.N6, false, true}, {krpc.N4 | krpc.N6, true, true}} {
		r := ask(t, m, host(1), krpc.Message{Method: krpc.FindNode, Target: krpc.ID{3, 1}, Want: tc.want})
		if (len(r.Nodes) > 0) != tc.four || (len(r.Nodes6) == bucketSize) != tc.other || !tc.other && len(r.Nodes6) > 0 {
			t.Errorf("want %v: named are %d nodes of IPv4, %d of IPv6", tc.want, len(r.Nodes), len(r.Nodes6))
		}
		for i, n := range r.Nodes6 {
			if i > 0 && nearer(n.ID, r.Nodes6[i-1].ID, krpc.ID{3, 1}) || n.Addr == local {
				t.Errorf("named are %v", r.Nodes6)
			}
		}
	}
}
