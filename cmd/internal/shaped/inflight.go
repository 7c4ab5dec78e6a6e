//go:build linux

package shaped

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"time"
)

// ethernet is the length of the header of a frame.
const ethernet = 14

// portOf is the port to which an address belongs that ends with a byte, see
// hardware; negative: to none.
func portOf(last byte) int {
	switch {
	case last == bridge:
		return 0
	case last < firstHost:
		return -1
	}
	return int(last) - firstHost + 1
}

// mostInFlight is how many bytes may be between all hosts together: more than
// TCP's windows let them send where no rate does, and little enough for the
// memory of a machine. What is more is lost.
const mostInFlight = 256 << 20

// inFlight is the frames that are between two ports. Port 0 is that of this
// process, and the others are those of the hosts.
type inFlight struct {
	links   []Link
	sides   []int           // of a cut
	last    []time.Duration // when the last frame from one port to another is due
	flights flights
	number  uint64
	bytes   int // of all flights
}

func newInFlight(links []Link) inFlight {
	return inFlight{links: links, sides: make([]int, len(links)), last: make([]time.Duration, len(links)*len(links))}
}

// flight is a frame on its way.
type flight struct {
	due      time.Duration
	number   uint64 // of several that are due at once, the first is first
	from, to int
	frame    []byte
}

// take lets a copy of a frame fly to the host that its header names, or loses
// it, and tells whether it is the next to arrive. What is sent to all is for
// nobody: all know each other's addresses.
func (s *inFlight) take(now time.Duration, from int, header, frame []byte) (first bool) {
	const sentToSome = 1 // a bit of the first byte
	if len(header) < ethernet || header[0]&sentToSome != 0 {
		return false
	}
	to := portOf(header[5])
	if to < 0 || to >= len(s.links) || to == from {
		return false
	}
	a, b := &s.links[from], &s.links[to]
	if loss := a.Loss + b.Loss; loss > 0 && rand.Float64() < loss || s.bytes+len(frame) > mostInFlight {
		return false
	}
	due := now + a.Delay + b.Delay
	if jitter := a.Jitter + b.Jitter; jitter > 0 {
		due += rand.N(jitter)
	}
	last := &s.last[from*len(s.links)+to]
	*last = max(*last, due)
	s.number++
	s.bytes += len(frame)
	heap.Push(&s.flights, flight{*last, s.number, from, to, slices.Clone(frame)})
	return s.flights[0].number == s.number
}

// next is a flight that is due; or how long until there is one, at most idle.
// What a cut separates is lost.
func (s *inFlight) next(now, idle time.Duration) (f flight, wait time.Duration) {
	for len(s.flights) > 0 {
		if wait := s.flights[0].due - now; wait > 0 {
			return f, min(wait, idle)
		}
		f := heap.Pop(&s.flights).(flight)
		s.bytes -= len(f.frame)
		if s.sides[f.from] == s.sides[f.to] {
			return f, 0
		}
	}
	return f, idle
}

// cut puts hosts on sides; nil: all on one.
func (s *inFlight) cut(side func(host int) int) {
	clear(s.sides)
	for i := range s.sides {
		if i > 0 && side != nil {
			s.sides[i] = side(i - 1)
		}
	}
}

// flights are a heap, by the time at which they are due.
type flights []flight

func (f flights) Len() int      { return len(f) }
func (f flights) Swap(i, k int) { f[i], f[k] = f[k], f[i] }
func (f flights) Less(i, k int) bool {
	return f[i].due < f[k].due || f[i].due == f[k].due && f[i].number < f[k].number
}

// Push implements heap.Interface.
func (f *flights) Push(one any) { *f = append(*f, one.(flight)) }

// Pop implements heap.Interface.
func (f *flights) Pop() any {
	last := len(*f) - 1
	one := (*f)[last]
	(*f)[last] = flight{} // its frame is free when it has been handed over
	*f = (*f)[:last]
	return one
}
