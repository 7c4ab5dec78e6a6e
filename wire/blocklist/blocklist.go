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
// Limits: binary formats (P2B) and host names are not supported, and a list may
// have MaxText bytes and MaxRanges ranges that do not touch.
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
		return within(l.v4, number4(a), order4)
	}
	return within(l.v6, number6(a), order6)
}

// Len is the number of ranges in the list; ranges that touch are counted as
// one.
func (l *List) Len() int {
	if l == nil {
		return 0
	}
	return len(l.v4) + len(l.v6)
}

func within[A any](spans []span[A], a A, order func(a, b A) int) bool {
	i := sort.Search(len(spans), func(i int) bool { return order(spans[i].first, a) > 0 })
	return i > 0 && order(a, spans[i-1].last) <= 0
}

// add enters the addresses from first to last, of one family.
func (l *List) add(first, last netip.Addr) {
	if first.Is4() {
		l.v4 = append(l.v4, span[uint32]{number4(first), number4(last)})
	} else {
		l.v6 = append(l.v6, span[addr6]{number6(first), number6(last)})
	}
}

// seal sorts and merges what was added.
func (l *List) seal() {
	l.v4 = merge(l.v4, order4, func(a uint32) uint32 { return a + 1 })
	l.v6 = merge(l.v6, order6, func(a addr6) addr6 {
		if a.low++; a.low == 0 {
			a.high++
		}
		return a
	})
}

// merge sorts spans and makes one of those that overlap or touch.
func merge[A any](spans []span[A], order func(a, b A) int, next func(A) A) []span[A] {
	slices.SortFunc(spans, func(a, b span[A]) int { return order(a.first, b.first) })
	var zero A
	merged := spans[:0]
	for _, s := range spans {
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
	return merged
}

func number4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func number6(a netip.Addr) addr6 {
	b := a.As16()
	return addr6{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}
