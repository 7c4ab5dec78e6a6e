package peers

import (
	"slices"

	"kouzui/messages"
)

// countSources tells the torrent how many peers come from each kind of source,
// if that has changed.
func (k *connections) countSources() {
	counts := k.candidates.count()
	for _, s := range k.slots.all {
		if s.ready {
			counts[s.Source.Kind].Connected++
		}
	}
	counts = slices.DeleteFunc(counts, func(n messages.SourceCount) bool { return n.Connected+n.Known == 0 })
	if !slices.Equal(counts, k.counted) {
		k.counted = counts
		k.out.add(tellTorrent{&messages.SourcesCounted{Sources: counts}})
	}
}

// count counts the candidates from each kind of source, without those that are
// never dialled.
func (c *candidates) count() []messages.SourceCount {
	kinds := messages.SourceKinds()
	counts := make([]messages.SourceCount, len(kinds))
	for i, kind := range kinds {
		counts[i].Kind = kind
	}
	for _, x := range c.list {
		if x.never {
			continue
		}
		n := &counts[x.source.Kind]
		n.Known++
		if x.silent {
			n.Silent++
		}
	}
	return counts
}
