// Package blocklist reads lists of addresses with which a user wants no
// connections, and tells whether an address is on them.
//
// Use: [Read] reads a list in any of the forms in which lists are published,
// plain or in gzip. Each line is one entry in one of these forms, which may be
// mixed, for IPv4 and IPv6:
//
//	name:192.0.2.0-192.0.2.255            P2P text, as PeerGuardian has it
//	192.0.2.0 - 192.0.2.255 , 100 , name  ipfilter.dat, as eMule has it; a level over 127 lets the range pass
//	192.0.2.0/24                          CIDR
//	192.0.2.0-192.0.2.255                 a range
//	192.0.2.7                             one address
//
// Lines that begin with #, ; or // and what follows # or ; after an address are
// comments. [List.Blocks] answers within a few comparisons however long the
// list is.
//
// Limits: binary formats (P2B), archives and host names are not supported, and
// a list may have MaxText bytes and MaxRanges ranges that do not touch.
package blocklist

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"sort"
)

// List is a set of addresses. It is immutable, and a nil List blocks nobody.
type List struct {
	v4 []span[uint32]
	v6 []span[addr6]
}

// span is a range of addresses, from first to last, both included.
type span[A any] struct{ first, last A }

// addr6 is an IPv6 address in two words; a netip.Addr takes three.
type addr6 struct{ high, low uint64 }

func order4(a, b uint32) int { return cmp.Compare(a, b) }

func order6(a, b addr6) int {
	return cmp.Or(cmp.Compare(a.high, b.high), cmp.Compare(a.low, b.low))
}

// Blocks tells whether a is on the list. An IPv4 address in IPv6 form counts as
// IPv4.
func (l *List) Blocks(a netip.Addr) bool {
	if l == nil || !a.IsValid() {
		return false
	}
	if a = a.Unmap(); a.Is4() {
		return covered(l.v4, span[uint32]{number4(a), number4(a)}, order4)
	}
	return covered(l.v6, span[addr6]{number6(a), number6(a)}, order6)
}

// Len is the number of ranges in the list; ranges that touch are counted as
// one.
func (l *List) Len() int {
	if l == nil {
		return 0
	}
	return len(l.v4) + len(l.v6)
}

// draft is a List that is being read.
type draft struct {
	v4   spans[uint32]
	v6   spans[addr6]
	room int // how many spans may be held before they are merged
}

// spans are those read so far: first those that were merged, in order and
// apart, then the others as they came.
type spans[A any] struct {
	all    []span[A]
	merged int
}

// add enters the addresses from first to last, of one family. It fails as merge
// does.
func (d *draft) add(first, last netip.Addr) error {
	if first.Is4() {
		d.v4.add(span[uint32]{number4(first), number4(last)}, order4, next4)
	} else {
		d.v6.add(span[addr6]{number6(first), number6(last)}, order6, next6)
	}
	if d.held() < d.room {
		return nil
	}
	return d.merge()
}

// held is how many spans are in memory.
func (d *draft) held() int { return len(d.v4.all) + len(d.v6.all) }

// merge makes one of spans that overlap or touch. It fails if more than
// MaxRanges are left.
func (d *draft) merge() error {
	d.v4.merge(order4, next4)
	d.v6.merge(order6, next6)
	if d.held() > MaxRanges {
		return errTooMany
	}
	d.room = max(mergeEvery, 2*d.held())
	return nil
}

func next4(a uint32) uint32 { return a + 1 }

func next6(a addr6) addr6 {
	if a.low++; a.low == 0 {
		a.high++
	}
	return a
}

// add takes no memory for what the last span or one that was merged covers, nor
// for what goes on where the last one ends, as in a list that is sorted.
func (l *spans[A]) add(s span[A], order func(a, b A) int, next func(A) A) {
	if n := len(l.all); n > 0 {
		last := &l.all[n-1]
		if order(s.first, last.first) >= 0 && order(s.first, next(last.last)) <= 0 {
			if order(s.last, last.last) > 0 {
				last.last = s.last
			}
			return
		}
	}
	if covered(l.all[:l.merged], s, order) {
		return
	}
	l.all = append(l.all, s)
}

// covered tells whether one of the spans, which are in order and apart, has all
// of s.
func covered[A any](spans []span[A], s span[A], order func(a, b A) int) bool {
	i := sort.Search(len(spans), func(i int) bool { return order(spans[i].first, s.first) > 0 })
	return i > 0 && order(s.last, spans[i-1].last) <= 0
}

// sort puts what came since the last merge in its place among the others.
func (l *spans[A]) sort(order func(a, b A) int) {
	byFirst := func(a, b span[A]) int { return order(a.first, b.first) }
	came := l.all[l.merged:]
	slices.SortFunc(came, byFirst)
	if l.merged == 0 || len(came) == 0 || byFirst(l.all[l.merged-1], came[0]) <= 0 {
		return
	}
	came = slices.Clone(came) // merged from the end, in place
	i, j := l.merged-1, len(came)-1
	for at := len(l.all) - 1; j >= 0; at-- {
		if i >= 0 && byFirst(l.all[i], came[j]) > 0 {
			l.all[at] = l.all[i]
			i--
		} else {
			l.all[at] = came[j]
			j--
		}
	}
}

// merge sorts the spans, and makes one of those that overlap or touch.
func (l *spans[A]) merge(order func(a, b A) int, next func(A) A) {
	l.sort(order)
	var zero A
	merged := l.all[:0]
	for _, s := range l.all {
		if n := len(merged); n > 0 {
			after := next(merged[n-1].last)
			if order(after, zero) == 0 { // it ends with the last address there is
				break
			}
			if order(s.first, after) <= 0 {
				if order(s.last, merged[n-1].last) > 0 {
					merged[n-1].last = s.last
				}
				continue
			}
		}
		merged = append(merged, s)
	}
	l.all, l.merged = merged, len(merged)
}

func number4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func number6(a netip.Addr) addr6 {
	b := a.As16()
	return addr6{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}
