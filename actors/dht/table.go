package dht

import (
	"math/bits"
	"net/netip"
	"slices"
	"time"

	"kouzui/wire/krpc"
)

const (
	// bucketSize is how many nodes a bucket has, and how many nodes a reply names
	// (BEP 5).
	bucketSize = 8
	// lifetime is how long a node is good after it answered or asked (BEP 5).
	lifetime = 15 * time.Minute
	// badAfter is after how many queries in a row without an answer a node is bad:
	// one datagram may be lost.
	badAfter = 2
	// forgottenAfter is after how many such queries a node is dropped although
	// nobody takes its place.
	forgottenAfter = 5
	// fewNodes is how many nodes that are not bad there must be, for bad ones to
	// be dropped. In an outage of our own network all become bad, and those that
	// are left are whom we ask when the network is back.
	fewNodes = 16
)

// widths are the sizes of the first buckets. These hold most of the nodes that
// there are: with more of them known, a lookup begins closer to its target.
var widths = [...]int{128, 64, 32, 16}

// spare is how many nodes wait for a place in a full bucket.
const spare = 4

// entry is a node that has answered.
type entry struct {
	krpc.Node
	seen     int64  // when it answered or asked, in Unix nanoseconds
	rtt      uint32 // of its last answer, in microseconds
	failures uint8  // queries in a row without an answer
	fits     bool   // its id fits its address (BEP 42)
}

func (e *entry) bad() bool { return e.failures >= badAfter }

func (e *entry) good(now time.Time) bool {
	return e.failures == 0 && now.UnixNano()-e.seen < int64(lifetime)
}

// bucket holds the nodes whose ids share so many leading bits with ours as the
// number of the bucket says; the last bucket also those that share more.
type bucket struct {
	entries []entry
	spares  []entry   // nodes that have answered, oldest first
	looked  time.Time // when it was last looked for nodes of this bucket
}

// table is the nodes that we know.
type table struct {
	self    krpc.ID
	buckets []bucket
}

func newTable(self krpc.ID) *table { return &table{self: self, buckets: make([]bucket, 1)} }

// shared is how many leading bits two ids have in common.
func shared(a, b krpc.ID) int {
	for i := range a {
		if x := a[i] ^ b[i]; x != 0 {
			return 8*i + bits.LeadingZeros8(x)
		}
	}
	return 8 * len(a)
}

func width(i int) int {
	if i < len(widths) {
		return widths[i]
	}
	return bucketSize
}

// index is the number of the bucket of an id.
func (t *table) index(id krpc.ID) int { return min(shared(id, t.self), len(t.buckets)-1) }

// find returns the entry of a node, nil if there is none.
func (t *table) find(node krpc.Node) *entry {
	b := &t.buckets[t.index(node.ID)]
	for i := range b.entries {
		if b.entries[i].Node == node {
			return &b.entries[i]
		}
	}
	return nil
}

// at returns the entry of a host, nil if there is none. Hosts of a public
// network have one entry, whatever their ports.
func (t *table) at(addr netip.AddrPort) *entry {
	host := sourceOf(addr)
	for b := range t.buckets {
		for i, e := range t.buckets[b].entries {
			if sourceOf(e.Addr) == host {
				return &t.buckets[b].entries[i]
			}
		}
	}
	return nil
}

// answered enters a node that has just answered us. An entry of the same host
// under another id stays while it is good: who invents ids is not given room.
func (t *table) answered(node krpc.Node, rtt time.Duration, now time.Time) {
	if node.ID == t.self {
		return
	}
	e := entry{Node: node, seen: now.UnixNano(), rtt: uint32(min(rtt, time.Minute) / time.Microsecond), fits: idFits(node.ID, node.Addr.Addr())}
	if known := t.find(node); known != nil {
		*known = e
		return
	}
	if other := t.at(node.Addr); other != nil {
		if other.Addr != node.Addr && other.good(now) {
			return
		}
		t.remove(other.Node)
	}
	t.insert(e)
}

func (t *table) insert(e entry) {
	for {
		i := t.index(e.ID)
		b := &t.buckets[i]
		if most := width(i); len(b.entries) < most {
			b.add(e, most)
			return
		}
		if i == len(t.buckets)-1 && i < 8*len(e.ID)-1 {
			t.split()
			continue
		}
		if at := slices.IndexFunc(b.entries, func(e entry) bool { return e.bad() }); at >= 0 {
			b.entries[at] = e
			return
		}
		b.keepSpare(e)
		return
	}
}

// add enters a node into a bucket that may hold so many. Its memory grows by a
// few places at a time: append would leave a third of a table's places empty.
func (b *bucket) add(e entry, most int) {
	if len(b.entries) == cap(b.entries) {
		b.entries = append(make([]entry, 0, min(len(b.entries)+bucketSize, most)), b.entries...)
	}
	b.entries = append(b.entries, e)
}

func (b *bucket) keepSpare(e entry) {
	b.spares = slices.DeleteFunc(b.spares, func(old entry) bool { return sourceOf(old.Addr) == sourceOf(e.Addr) })
	if len(b.spares) == spare {
		b.spares = slices.Delete(b.spares, 0, 1)
	}
	b.spares = append(b.spares, e)
}

// split divides the last bucket. The next one is narrower, and may have to be
// divided at once.
func (t *table) split() {
	last := len(t.buckets) - 1
	old := t.buckets[last]
	t.buckets[last] = bucket{looked: old.looked}
	t.buckets = append(t.buckets, bucket{looked: old.looked})
	for _, e := range old.entries {
		t.insert(e)
	}
}

// asked tells that a node has asked us, which keeps a node good that has
// answered once (BEP 5). It returns whether the node would be of use to us, if
// it answers: it is not known, and there is a place for it.
func (t *table) asked(node krpc.Node, now time.Time) (useful bool) {
	if e := t.find(node); e != nil {
		if e.failures == 0 {
			e.seen = now.UnixNano()
		}
		return false
	}
	if node.ID == t.self || t.at(node.Addr) != nil {
		return false
	}
	i := t.index(node.ID)
	b := &t.buckets[i]
	return len(b.entries) < width(i) || i == len(t.buckets)-1 ||
		slices.ContainsFunc(b.entries, func(e entry) bool { return !e.good(now) })
}

// failed tells that a node has not answered. A bad node makes room for one that
// has answered.
func (t *table) failed(node krpc.Node) {
	e := t.find(node)
	if e == nil {
		return
	}
	e.failures = min(e.failures+1, 100)
	if !e.bad() {
		return
	}
	b := &t.buckets[t.index(node.ID)]
	if n := len(b.spares); n > 0 {
		*e = b.spares[n-1]
		b.spares = b.spares[:n-1]
		return
	}
	if e.failures >= forgottenAfter && t.alive() >= fewNodes {
		t.remove(node)
	}
}

// remove forgets a node, which is not what it was.
func (t *table) remove(node krpc.Node) {
	b := &t.buckets[t.index(node.ID)]
	b.entries = slices.DeleteFunc(b.entries, func(e entry) bool { return e.Node == node })
	if n := len(b.spares); n > 0 {
		b.entries = append(b.entries, b.spares[n-1])
		b.spares = b.spares[:n-1]
	}
}

// move gives us another id. The nodes stay.
func (t *table) move(self krpc.ID) {
	old := t.buckets
	t.self, t.buckets = self, make([]bucket, 1)
	for _, b := range old {
		for _, e := range append(b.entries, b.spares...) {
			if e.ID != self {
				t.insert(e)
			}
		}
	}
}

// all goes through all entries.
func (t *table) all(yield func(*entry) bool) {
	for b := range t.buckets {
		for i := range t.buckets[b].entries {
			if !yield(&t.buckets[b].entries[i]) {
				return
			}
		}
	}
}

// alive is how many nodes are not bad.
func (t *table) alive() (n int) {
	for e := range t.all {
		if !e.bad() {
			n++
		}
	}
	return n
}

// count is how many nodes there are, and how many of them are good.
func (t *table) count(now time.Time) (known, good int) {
	for e := range t.all {
		known++
		if e.good(now) {
			good++
		}
	}
	return known, good
}

// stale returns up to n nodes that are about to be no longer good: those that
// were seen longest ago. Ping keeps them, or shows that they are gone.
func (t *table) stale(before time.Time, n int) []krpc.Node {
	var list []*entry
	for e := range t.all {
		if e.seen < before.UnixNano() {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *entry) int { return int(a.seen - b.seen) })
	nodes := make([]krpc.Node, min(n, len(list)))
	for i := range nodes {
		nodes[i] = list[i].Node
	}
	return nodes
}

// best returns good nodes, those that answer soonest first.
func (t *table) best(now time.Time, n int) []krpc.Node {
	var list []*entry
	for e := range t.all {
		if e.good(now) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *entry) int { return int(a.rtt) - int(b.rtt) })
	nodes := make([]krpc.Node, min(n, len(list)))
	for i := range nodes {
		nodes[i] = list[i].Node
	}
	return nodes
}
