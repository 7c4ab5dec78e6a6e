// Package trace holds the sinks of a supervision trace: lines on the console, a
// file, the recent events in memory. It also reads a file, and rebuilds the
// tree of any moment from it.
package trace

import (
	"context"
	"sync"

	"kouzui/actors/runtime/event"
)

// Recent keeps the newest events in memory, for a display and for tests.
type Recent struct {
	mu      sync.Mutex
	ring    []*event.Event
	total   uint64        // events ever recorded
	changed chan struct{} // closed by the next event; nil if no subscriber waits
}

// NewRecent keeps up to n events.
func NewRecent(n int) *Recent { return &Recent{ring: make([]*event.Event, n)} }

// Record implements event.Sink.
func (r *Recent) Record(e *event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring[r.total%uint64(len(r.ring))] = e
	r.total++
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// Events returns the events that are kept, oldest first.
func (r *Recent) Events() []*event.Event {
	events, _, _ := r.After(0)
	return events
}

// After returns the events from the n-th on that are still kept, the n to go on
// with, and a channel that is closed when there are more. A subscriber calls it
// again and again. A slow subscriber misses events, but does not delay the
// program or the other subscribers.
func (r *Recent) After(n uint64) (events []*event.Event, next uint64, more <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	size := uint64(len(r.ring))
	if r.total > size {
		n = max(n, r.total-size)
	}
	for ; n < r.total; n++ {
		events = append(events, r.ring[n%size])
	}
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return events, r.total, r.changed
}

// Wait returns the first event, kept or to come, for which match holds.
func (r *Recent) Wait(ctx context.Context, match func(*event.Event) bool) (*event.Event, error) {
	for from := uint64(0); ; {
		events, next, more := r.After(from)
		for _, e := range events {
			if match(e) {
				return e, nil
			}
		}
		from = next
		select {
		case <-more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
