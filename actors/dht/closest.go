package dht

import (
	"slices"

	"kouzui/wire/krpc"
)

// nearer tells whether a is nearer to the target than b.
func nearer(a, b, target krpc.ID) bool {
	for i := range target {
		if x, y := a[i]^target[i], b[i]^target[i]; x != y {
			return x < y
		}
	}
	return false
}

// closest returns the nodes nearest to the target, nearest first, at most n. Of
// these at least half have ids that fit their addresses (BEP 42), if we know so
// many: others are put beside a hash by whoever wants to hide what is announced
// there. Bad ones are among them only if there are no others.
func (t *table) closest(target krpc.ID, n int) []krpc.Node {
	near := nearest{target: target, nodes: make([]krpc.Node, 0, n)}
	fit := nearest{target: target, nodes: make([]krpc.Node, 0, n/2), fitting: true}
	full := func() bool { return len(near.nodes) == n && len(fit.nodes) == n/2 }
	add := func(b *bucket) {
		near.add(b.entries)
		fit.add(b.entries)
	}
	home := t.index(target)
	add(&t.buckets[home])
	if !full() {
		for i := range t.buckets[home+1:] {
			add(&t.buckets[home+1+i])
		}
	}
	// What shares less with the target is farther than all that came before.
	for i := home - 1; i >= 0 && !full(); i-- {
		add(&t.buckets[i])
	}
	if len(near.nodes) == 0 {
		near.hopeless = true
		for _, b := range t.buckets {
			near.add(b.entries)
		}
	}
	return near.makeRoom(fit.nodes)
}

// nearest keeps as many nodes as there is room for, nearest first.
type nearest struct {
	target   krpc.ID
	nodes    []krpc.Node
	fitting  bool // take only nodes whose ids fit
	hopeless bool // take bad nodes too
}

func (near *nearest) add(entries []entry) {
	for i := range entries {
		e := &entries[i]
		if e.bad() && !near.hopeless || near.fitting && !e.fits {
			continue
		}
		at := len(near.nodes)
		for at > 0 && nearer(e.ID, near.nodes[at-1].ID, near.target) {
			at--
		}
		switch {
		case len(near.nodes) < cap(near.nodes):
			near.nodes = slices.Insert(near.nodes, at, e.Node)
		case at < len(near.nodes):
			copy(near.nodes[at+1:], near.nodes[at:])
			near.nodes[at] = e.Node
		}
	}
}

// makeRoom puts the nodes that fit and are not kept in the places of the
// farthest that do not fit.
func (near *nearest) makeRoom(fitting []krpc.Node) []krpc.Node {
	nodes := near.nodes
	if len(nodes) < cap(nodes) {
		return nodes // all are kept
	}
	last := nodes[len(nodes)-1]
	kept := 0 // of those that fit: the nearest ones
	for kept < len(fitting) && !nearer(last.ID, fitting[kept].ID, near.target) {
		kept++
	}
	for i := len(nodes) - 1; len(nodes)+len(fitting)-kept > cap(nodes); i-- {
		if !slices.Contains(fitting[:kept], nodes[i]) {
			nodes = slices.Delete(nodes, i, i+1)
		}
	}
	return append(nodes, fitting[kept:]...)
}
