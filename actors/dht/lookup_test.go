package dht

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/wire/krpc"
)

// Whatever nodes answer or do not, a lookup ends, has never more queries under
// way that count than it may, and asks each node once, or once
// more for nodes alone.
func TestLookupsEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		nodes := random(r, 500)
		for i := range nodes {
			if i%2 == 0 {
				nodes[i].ID = newID(r, nodes[i].Addr.Addr())
			}
		}
		l := &lookup{target: newID(r, netip.Addr{})}
		for i := range rapid.IntRange(0, 8).Draw(t, "contacts") {
			l.contacts = append(l.contacts, host(1000+i))
		}
		for _, n := range nodes[:rapid.IntRange(0, 10).Draw(t, "known")] {
			l.add(n)
		}
		type underWay struct {
			node krpc.Node
			late bool
		}
		var list []underWay
		times := map[krpc.Node]int{}
		for step := 0; !l.ended; step++ {
			if step > 10_000 {
				t.Fatal("it does not end")
			}
			if node, ok := l.next(); ok {
				l.ask(node)
				limit := 1
				if c := l.find(node); c != nil && c.again != never {
					limit = 2
				}
				if times[node]++; times[node] > limit {
					t.Fatalf("%v is asked again", node)
				}
				list = append(list, underWay{node, false})
				continue
			}
			if n := max(len(l.nodes[misfits]), len(l.nodes[fitting])); l.asking > alpha || n > lookupNodes {
				t.Fatalf("%d under way, %d nodes of a kind", l.asking, n)
			}
			if len(list) == 0 {
				if l.next(); !l.ended {
					t.Fatal("nothing is under way, and it has not ended")
				}
				break
			}
			i := r.IntN(len(list))
			this := &list[i]
			switch r.IntN(4) {
			case 0:
				if !this.late {
					this.late = true
					l.tardy(this.node)
				} else {
					l.giveUp(this.node)
				}
				continue
			case 1:
				l.fail(this.node, this.late)
			default:
				node := this.node
				if node.ID == (krpc.ID{}) {
					node.ID = newID(r, netip.Addr{})
				}
				if l.answer(this.node, node, []byte("token"), this.late) && l.find(node).again == never && r.IntN(3) == 0 {
					l.askAgain(node, aside)
				}
				for range r.IntN(12) {
					l.add(nodes[r.IntN(len(nodes))])
				}
			}
			list = append(list[:i], list[i+1:]...)
		}
		near := l.nearest()
		for i := 1; i < len(near); i++ {
			if nearer(near[i].ID, near[i-1].ID, l.target) {
				t.Fatal("the nearest are out of order")
			}
		}
	})
}

// Nodes beside the target whose ids do not fit their addresses, however many,
// keep no lookup from the nearest that fit; those are not all that count.
func TestALookupAsksTheNearestOfBothKinds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	l := &lookup{}
	asked := map[int]int{}
	for i := range 300 {
		l.add(krpc.Node{ID: krpc.ID{19: byte(i), 18: byte(i >> 8), 17: 1}, Addr: host(i)})
	}
	for i := 300; i < 320; i++ {
		l.add(krpc.Node{ID: newID(r, host(i).Addr()), Addr: host(i)})
	}
	for node, ok := l.next(); ok; node, ok = l.next() {
		l.ask(node)
		l.answer(node, node, []byte("token"), false)
		asked[kindOf(node)]++
	}
	if !l.ended || asked[misfits] != bucketSize || asked[fitting] != bucketSize || len(l.nearest()) != 2*bucketSize {
		t.Errorf("ended: %v, asked %v, %d are nearest", l.ended, asked, len(l.nearest()))
	}
}

func TestALookupHasOneNodeOfASubnet(t *testing.T) {
	l := &lookup{}
	id := byte(0)
	count := func(addrs ...string) int {
		l.nodes = [kinds][]candidate{}
		for _, a := range addrs {
			id++
			l.add(krpc.Node{ID: krpc.ID{id}, Addr: netip.MustParseAddrPort(a)})
		}
		return len(l.nodes[misfits]) + len(l.nodes[fitting])
	}
	if n := count("50.1.2.3:1", "50.1.2.4:1", "50.1.3.4:1"); n != 2 {
		t.Errorf("%d of two subnets", n)
	}
	if n := count("[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8:0:1::1]:1"); n != 2 {
		t.Errorf("%d of two subnets of IPv6", n)
	}
	if n := count("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:2", "10.0.0.1:1"); n != 3 {
		t.Errorf("%d of three at local addresses", n)
	}
}

func TestPeersOfALookupAreBounded(t *testing.T) {
	l := &lookup{}
	told := 0
	for i := range 3 * lookupPeers {
		told += len(l.told([]netip.AddrPort{host(i), host(i)}))
	}
	if told != lookupPeers {
		t.Errorf("%d are told", told)
	}
}

// TestANodeThatNamesPeersAloneIsAskedForNodes: the only node that we know tells
// of a peer that is gone, and of no node beside, as BEP 5 allows. The peers of
// which nodes nearer to the hash know are found at once all the same, and it is
// to those nodes that we are announced.
func TestANodeThatNamesPeersAloneIsAskedForNodes(t *testing.T) {
	u := village(t, 30)
	hash := krpc.ID{1, 2, 3}
	u.want(u.order[5], hash, 5000)
	u.run(time.Minute)
	gone := netip.AddrPortFrom(host(999).Addr(), 1)
	teller := u.order[0]
	teller.stored.announce(hash, gone, false, u.now)
	u.rewrite = func(from netip.AddrPort, data []byte) []byte {
		m, err := krpc.Parse(data)
		if err != nil || m.Kind != krpc.Reply || len(m.Values) == 0 {
			return data
		}
		m.Nodes = nil
		return m.Append(nil)
	}
	seeker := u.join(host(500), teller.addr)
	torrent := u.want(seeker, hash, 4000)
	u.run(2 * time.Second)
	live := netip.AddrPortFrom(host(5).Addr(), 5000)
	if found := u.peers[torrent]; !slices.Contains(found, live) || !slices.Contains(found, gone) {
		t.Errorf("it has found %v", found)
	}
	told := 0
	for _, m := range u.order {
		if slices.Contains(m.stored.peers(hash, false, u.now), netip.AddrPortFrom(seeker.addr.Addr(), 4000)) {
			told++
		}
	}
	if told < bucketSize {
		t.Errorf("it is announced to %d nodes", told)
	}
}
