package fake

import (
	"maps"
	"slices"

	"kouzui/actors/world/described"
)

const pageSize = described.PageSize

// pages are those of a file, by their number; the zero value of P is a hole.
// What was written since they were synced is kept apart, so that a sync costs
// what it has to save.
type pages[P comparable] struct {
	synced map[int64]*sheet[P] // by number/len(sheet)
	fresh  map[int64]P
	count  int // of those that are no holes
}

type sheet[P comparable] [64]P

func (p *pages[P]) get(at int64) P {
	if page, is := p.fresh[at]; is {
		return page
	}
	return p.saved(at)
}

func (p *pages[P]) saved(at int64) (page P) {
	if s := p.synced[at/int64(len(sheet[P]{}))]; s != nil {
		page = s[at%int64(len(s))]
	}
	return page
}

func (p *pages[P]) set(at int64, page P) {
	if p.fresh == nil {
		p.fresh = map[int64]P{}
	}
	p.fresh[at] = page
}

func (p *pages[P]) sync() {
	for at, page := range p.fresh {
		p.save(at, page)
	}
	clear(p.fresh)
}

func (p *pages[P]) save(at int64, page P) {
	key := at / int64(len(sheet[P]{}))
	s := p.synced[key]
	if s == nil {
		if p.synced == nil {
			p.synced = map[int64]*sheet[P]{}
		}
		s = new(sheet[P])
		p.synced[key] = s
	}
	s[at%int64(len(s))] = page
}

// after is what is left of them when the power fails and the file has a size: of
// those that were not synced, what chance decides. Pages are copied by own.
func (p *pages[P]) after(size int64, chance func() bool, own func(P) P) (left pages[P]) {
	var hole P
	left.synced = map[int64]*sheet[P]{}
	for key, s := range p.synced {
		copied := *s
		left.synced[key] = &copied
		for _, page := range s {
			if page != hole {
				left.count++
			}
		}
	}
	for _, at := range slices.Sorted(maps.Keys(p.fresh)) {
		if at*pageSize < size && chance() {
			if left.saved(at) == hole {
				left.count++
			}
			left.save(at, own(p.fresh[at]))
		}
	}
	return left
}
