package trackerserver

import (
	"container/heap"
	"net/netip"
)

// shares is what hosts hold of something that is bounded in all. It finds what
// makes room: of the host that holds the most, what was touched longest ago. So
// no host can crowd out another, and no host is held to a share while there is
// room.
type shares[T any] struct {
	holders map[netip.Addr]*holder[T]
	fullest byWeight[T] // a heap
	total   int
}

// everybody is the holder of what several hosts share. It weighs as little as a
// host that holds one thing.
var everybody netip.Addr

// holder is a host and what it holds, in a list from the oldest to the newest.
type holder[T any] struct {
	host           netip.Addr // of messages.HostOf
	oldest, newest *entry[T]
	count          int32
	at             int32 // in the heap
	round, given   int32 // in which draw peers of this host were last given, and how many
}

// entry is one thing that a host holds.
type entry[T any] struct {
	item         T
	holder       *holder[T]
	older, newer *entry[T]
	stamp        int64 // when it was touched last, in ns; no two are equal
}

func newShares[T any]() *shares[T] {
	return &shares[T]{holders: map[netip.Addr]*holder[T]{}}
}

func (s *shares[T]) add(host netip.Addr, e *entry[T], stamp int64) {
	h := s.holders[host]
	if h == nil {
		h = &holder[T]{host: host}
		s.holders[host] = h
		heap.Push(&s.fullest, h)
	}
	e.holder, e.stamp = h, stamp
	h.push(e)
	s.total++
	heap.Fix(&s.fullest, int(h.at))
}

func (s *shares[T]) remove(e *entry[T]) {
	h := e.holder
	h.unlink(e)
	s.total--
	if h.count > 0 {
		heap.Fix(&s.fullest, int(h.at))
		return
	}
	heap.Remove(&s.fullest, int(h.at))
	delete(s.holders, h.host)
}

// touch makes e the newest of its host.
func (s *shares[T]) touch(e *entry[T], stamp int64) {
	e.holder.unlink(e)
	e.stamp = stamp
	e.holder.push(e)
	heap.Fix(&s.fullest, int(e.holder.at))
}

// first is what makes room first.
func (s *shares[T]) first() *entry[T] { return s.fullest[0].oldest }

func (h *holder[T]) push(e *entry[T]) {
	e.older, e.newer = h.newest, nil
	if h.newest != nil {
		h.newest.newer = e
	} else {
		h.oldest = e
	}
	h.newest = e
	h.count++
}

func (h *holder[T]) unlink(e *entry[T]) {
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		h.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		h.newest = e.older
	}
	h.count--
}

func (h *holder[T]) weight() int32 {
	if h.host == everybody {
		return 1
	}
	return h.count
}

// byWeight is a heap whose first holder has the most; of those that have the
// same, the one whose oldest entry is the oldest.
type byWeight[T any] []*holder[T]

func (b byWeight[T]) Len() int { return len(b) }

func (b byWeight[T]) Less(i, j int) bool {
	if m, n := b[i].weight(), b[j].weight(); m != n {
		return m > n
	}
	return b[i].oldest != nil && b[j].oldest != nil && b[i].oldest.stamp < b[j].oldest.stamp
}

func (b byWeight[T]) Swap(i, j int) {
	b[i], b[j] = b[j], b[i]
	b[i].at, b[j].at = int32(i), int32(j)
}

// Push implements heap.Interface.
func (b *byWeight[T]) Push(h any) {
	added := h.(*holder[T])
	added.at = int32(len(*b))
	*b = append(*b, added)
}

// Pop implements heap.Interface.
func (b *byWeight[T]) Pop() any {
	last := len(*b) - 1
	h := (*b)[last]
	(*b)[last] = nil
	*b = (*b)[:last]
	return h
}
