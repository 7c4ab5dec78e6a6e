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

// closest returns the nodes nearest to the target, nearest first, at most n, of
// all or of those whose ids fit their addresses (BEP 42). Bad ones are among
// them only if there are no others.
func (t *table) closest(target krpc.ID, n int, fit bool) []krpc.Node {
	near := nearest{target: target, nodes: make([]krpc.Node, 0, n), fit: fit}
	home := t.index(target)
	near.add(t.buckets[home].entries)
	if len(near.nodes) < n {
		for _, b := range t.buckets[home+1:] {
			near.add(b.entries)
		}
	}
	// What shares less with the target is farther than all that came before.
	for i := home - 1; i >= 0 && len(near.nodes) < n; i-- {
		near.add(t.buckets[i].entries)
	}
	if len(near.nodes) == 0 {
		near.hopeless = true
		for _, b := range t.buckets {
			near.add(b.entries)
		}
	}
	return near.nodes
}

// nearest keeps as many nodes as there is room for, nearest first.
type nearest struct {
	target   krpc.ID
	nodes    []krpc.Node
	fit      bool // take only nodes whose ids fit
	hopeless bool // take bad nodes too
}

func (near *nearest) add(entries []entry) {
	for i := range entries {
		e := &entries[i]
		if e.bad() && !near.hopeless || near.fit && !e.fits {
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
