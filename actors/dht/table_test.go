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

// What stands beside the target takes no place of the nodes whose ids fit their
// addresses.
func TestTheClosestThatFit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	target := krpc.ID{0xf0}
	var nodes, fit []krpc.Node
	for i := range 40 {
		near := krpc.Node{ID: krpc.ID{0xf0, 19: byte(1 + i)}, Addr: host(i)}
		node := krpc.Node{ID: newID(r, host(100+i).Addr()), Addr: host(100 + i)}
		nodes, fit = append(nodes, near, node), append(fit, node)
	}
	slices.SortFunc(fit, func(a, b krpc.Node) int {
		if nearer(a.ID, b.ID, target) {
			return -1
		}
		return 1
	})
	table := tableOf(nodes, krpc.ID{})
	fit = slices.DeleteFunc(fit, func(n krpc.Node) bool { return table.find(n) == nil })
	if got := table.closest(target, 8, true); !slices.Equal(got, fit[:8]) {
		t.Errorf("%v, not %v", got, fit[:8])
	}
}

func random(r *rand.Rand, n int) []krpc.Node {
	list := make([]krpc.Node, n)
	for i := range list {
		list[i] = krpc.Node{ID: newID(r, netip.Addr{}), Addr: host(i)}
	}
	return list
}

// tableOf has asked so many nodes, all of which have answered.
func tableOf(nodes []krpc.Node, self krpc.ID) *table {
	t := newTable(self)
	for _, n := range nodes {
		t.answered(n, time.Millisecond, start)
	}
	return t
}

// Whatever happens, buckets have no more nodes than they may have, each in its
// place, and the nearest that are named are the nearest that there are.
func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		nodes := random(r, 600)
		table := newTable(newID(r, netip.Addr{}))
		now := start
		ever := map[krpc.Node]bool{}
		for range rapid.IntRange(1, 900).Draw(t, "events") {
			now = now.Add(time.Second)
			n := nodes[r.IntN(len(nodes))]
			switch r.IntN(8) {
			case 0:
				table.failed(n)
			case 1:
				table.asked(n, now)
			case 2:
				if r.IntN(300) == 0 {
					table.move(newID(r, netip.Addr{}))
				}
			default:
				table.answered(n, time.Duration(r.IntN(1000)), now)
				ever[n] = true
			}
		}
		var alive []krpc.Node
		hosts := map[netip.AddrPort]bool{}
		for i, b := range table.buckets {
			if len(b.entries) > width(i) || len(b.spares) > spare {
				t.Fatalf("bucket %d has %d nodes and %d spares", i, len(b.entries), len(b.spares))
			}
			for _, e := range b.entries {
				if table.index(e.ID) != i {
					t.Fatalf("%v is in bucket %d, not %d", e.ID, i, table.index(e.ID))
				}
				if !ever[e.Node] {
					t.Fatalf("%v never answered", e.Node)
				}
				if hosts[sourceOf(e.Addr)] {
					t.Fatalf("two nodes of %v", e.Addr)
				}
				hosts[sourceOf(e.Addr)] = true
				if !e.bad() {
					alive = append(alive, e.Node)
				}
			}
		}
		target := newID(r, netip.Addr{})
		slices.SortFunc(alive, func(a, b krpc.Node) int {
			if nearer(a.ID, b.ID, target) {
				return -1
			}
			return 1
		})
		if got := table.closest(target, 8, false); len(alive) > 0 && !slices.Equal(got, alive[:min(8, len(alive))]) {
			t.Fatalf("nearest are %v, want %v", got, alive[:min(8, len(alive))])
		}
	})
}

func TestGoodAndBad(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	nodes := random(r, 20)
	table := tableOf(nodes, krpc.ID{})
	late := start.Add(lifetime)
	if known, good := table.count(late.Add(-1)); known != 20 || good != 20 {
		t.Errorf("%d of %d are good", good, known)
	}
	if _, good := table.count(late); good != 0 {
		t.Errorf("%d are good without a word", good)
	}
	table.asked(nodes[0], late)
	if _, good := table.count(late); good != 1 {
		t.Error("one that has answered once and asks now is not good")
	}
	table.failed(nodes[0])
	if table.find(nodes[0]).bad() {
		t.Error("bad after one datagram that was lost")
	}
	table.failed(nodes[0])
	if !table.find(nodes[0]).bad() || slices.Contains(table.closest(nodes[0].ID, 8, false), nodes[0]) {
		t.Error("who does not answer is not bad, or is told to others")
	}
	table.asked(nodes[0], late)
	if _, good := table.count(late); good != 0 {
		t.Error("a bad one is good because it asks")
	}
}

// In an outage nobody answers: the last nodes stay, and are asked again.
func TestTheLastNodesAreNotDropped(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	nodes := random(r, 40)
	table := tableOf(nodes, krpc.ID{})
	for _, fail := range []int{10, 40} {
		for range 10 {
			for _, n := range nodes[:fail] {
				table.failed(n)
			}
		}
		if known, _ := table.count(start); known != 30 {
			t.Errorf("%d nodes are left after %d have failed", known, fail)
		}
	}
	if got := table.closest(krpc.ID{}, 8, false); len(got) != 8 {
		t.Errorf("of the bad ones %d are asked", len(got))
	}
}

func TestSparesTakeThePlaceOfBadNodes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	self := krpc.ID{}
	table := newTable(self)
	var far []krpc.Node
	for i, n := range random(r, 400) {
		if n.ID[0] |= 0x80; i > 200 {
			n.ID[0] &^= 0x80
		}
		table.answered(n, 0, start)
		if i <= 200 {
			far = append(far, n)
		}
	}
	first := &table.buckets[0]
	if len(first.entries) != widths[0] || len(first.spares) != spare {
		t.Fatalf("%d nodes, %d spares", len(first.entries), len(first.spares))
	}
	newest := first.spares[spare-1].Node
	table.failed(far[0])
	table.failed(far[0])
	if table.find(far[0]) != nil || table.find(newest) == nil {
		t.Error("the bad one has kept its place")
	}
}

// A host that changes its id has no second entry, and one whose node is good
// keeps it.
func TestAHostHasOneNode(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	n := random(r, 2)
	other := krpc.Node{ID: n[1].ID, Addr: netip.AddrPortFrom(n[0].Addr.Addr(), 7000)}
	table := tableOf([]krpc.Node{n[0], other}, krpc.ID{})
	if known, _ := table.count(start); known != 1 || table.find(n[0]) == nil {
		t.Errorf("%d nodes, or another", known)
	}
	renamed := krpc.Node{ID: n[1].ID, Addr: n[0].Addr}
	table.answered(renamed, 0, start)
	if known, _ := table.count(start); known != 1 || table.find(renamed) == nil {
		t.Errorf("%d nodes, or another", known)
	}
	here := netip.MustParseAddr("127.0.0.1")
	table = newTable(krpc.ID{})
	for i, n := range random(r, 10) {
		table.answered(krpc.Node{ID: n.ID, Addr: netip.AddrPortFrom(here, uint16(i+1))}, 0, start)
	}
	if known, _ := table.count(start); known != 10 {
		t.Errorf("%d nodes on this machine, want 10", known)
	}
}

func TestATableHasFewEmptyPlaces(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	table := newTable(newID(r, netip.Addr{}))
	for i, node := range random(r, 1000) {
		table.answered(node, time.Millisecond, start)
		for _, b := range table.buckets {
			if empty := cap(b.entries) - len(b.entries); empty > bucketSize {
				t.Fatalf("after %d nodes a bucket of %d has room for %d more", i+1, len(b.entries), empty)
			}
		}
	}
}
