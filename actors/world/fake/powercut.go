package fake

import (
	"maps"
	"math/rand/v2"
	"slices"

	"kouzui/actors/world/fake/described"
)

// PowerCut returns a disk in a state in which this one could be after a power
// cut now: what was synced is there, and chance decides about the rest. Some
// pages of a file may have been written and others not, and its length and date
// may be the old ones or the new; of the changed names in a folder it is all or
// none. This disk goes on unharmed. The new one has no faults.
func (d *Disk) PowerCut(chance *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	left := NewDisk(d.clock)
	left.capacity, left.nodes, left.changes, left.outlined = d.capacity, d.nodes, d.changes, d.outlined
	for _, dir := range slices.Sorted(maps.Keys(d.folders)) {
		left.folders[dir] = left.recover(d.folders[dir], chance)
	}
	return left
}

// recover copies what is left of n to the disk d.
func (d *Disk) recover(n *node, chance *rand.Rand) *node {
	now := func() bool { return chance.IntN(2) == 0 }
	left := &node{id: n.id, state: n.synced}
	if now() {
		left.size, left.modified, left.changed = n.size, n.modified, n.changed
	}
	if n.isDir() {
		kids := n.synced.kids
		if now() {
			kids = n.kids
		}
		left.kids = map[string]*node{}
		for _, name := range slices.Sorted(maps.Keys(kids)) {
			left.kids[name] = d.recover(kids[name], chance)
		}
	} else {
		left.bytes = n.bytes.after(left.size, now, func(page *[pageSize]byte) *[pageSize]byte {
			own := *page
			return &own
		})
		left.blocks = n.blocks.after(left.size, now, func(page described.What) described.What { return page })
		d.used += left.allocated()
	}
	left.sync()
	return left
}

// Unlock frees all locks, as the end of the process that holds them does.
func (d *Disk) Unlock() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.locks)
}
