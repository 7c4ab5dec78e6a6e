package fake

import (
	"maps"
	"math/bits"
	"slices"

	"kouzui/actors/world/fake/described"
)

const pageSize = described.PageSize

// pages are the pages of a file by their number; the zero value of P is a hole.
// Pages that were written since the last sync are kept apart, so that a sync
// costs as much as there is to save.
type pages[P comparable] struct {
	synced map[int64]*sheet[P] // by number/perSheet
	fresh  map[int64]*sheet[P]
	count  int // pages that are not holes
}

// sheet is a run of perSheet pages; bits tells which of them it has.
type sheet[P comparable] struct {
	has   uint64
	pages [perSheet]P
}

const perSheet = 64

func (s *sheet[P]) find(at int64) (page P, is bool) {
	if s == nil {
		return page, false
	}
	return s.pages[at%perSheet], s.has>>(at%perSheet)&1 == 1
}

func (p *pages[P]) get(at int64) P {
	if page, is := p.fresh[at/perSheet].find(at); is {
		return page
	}
	return p.saved(at)
}

// copy copies the pages from number at on.
func (p *pages[P]) copy(to []P, at int64) {
	fresh, synced := p.fresh[at/perSheet], p.synced[at/perSheet]
	for i := range to {
		if i > 0 && (at+int64(i))%perSheet == 0 {
			fresh, synced = p.fresh[(at+int64(i))/perSheet], p.synced[(at+int64(i))/perSheet]
		}
		page, is := fresh.find(at + int64(i))
		if !is {
			page, _ = synced.find(at + int64(i))
		}
		to[i] = page
	}
}

func (p *pages[P]) saved(at int64) P {
	page, _ := p.synced[at/perSheet].find(at)
	return page
}

func (p *pages[P]) set(at int64, page P) { put(&p.fresh, at, page) }

func put[P comparable](sheets *map[int64]*sheet[P], at int64, page P) {
	s := (*sheets)[at/perSheet]
	if s == nil {
		if *sheets == nil {
			*sheets = map[int64]*sheet[P]{}
		}
		s = &sheet[P]{}
		(*sheets)[at/perSheet] = s
	}
	s.has |= 1 << (at % perSheet)
	s.pages[at%perSheet] = page
}

// each calls f for the pages of sheets, in their order.
func each[P comparable](sheets map[int64]*sheet[P], f func(at int64, page P)) {
	for _, key := range slices.Sorted(maps.Keys(sheets)) {
		s := sheets[key]
		for left := s.has; left > 0; left &= left - 1 {
			i := bits.TrailingZeros64(left)
			f(key*perSheet+int64(i), s.pages[i])
		}
	}
}

func (p *pages[P]) sync() {
	each(p.fresh, func(at int64, page P) { put(&p.synced, at, page) })
	clear(p.fresh)
}

// after returns the pages that a file of this size has after a power cut: those
// that were synced, and of the others those that chance decides. Pages are
// copied by own.
func (p *pages[P]) after(size int64, chance func() bool, own func(P) P) (left pages[P]) {
	var hole P
	each(p.synced, func(at int64, page P) {
		put(&left.synced, at, page)
		left.count++
	})
	each(p.fresh, func(at int64, page P) {
		if at*pageSize < size && chance() {
			if left.saved(at) == hole {
				left.count++
			}
			put(&left.synced, at, own(page))
		}
	})
	return left
}
