package limiter

import (
	"time"

	"kouzui/messages"
)

// buckets are the two of the process, by direction. A peer is known by its id.
type buckets [2]*bucket[string]

func newBuckets(now time.Time) buckets {
	return buckets{newBucket[string](now), newBucket[string](now)}
}

func (b *buckets) setLimits(m *messages.SetLimits, now time.Time) {
	b[messages.Down].setRate(m.Down, now)
	b[messages.Up].setRate(m.Up, now)
}

// drop forgets a peer that is gone.
func (b *buckets) drop(id string) {
	for _, of := range b {
		of.drop(id)
	}
}

// next is how long until there is something to grant; false means that time
// alone does not bring it.
func (b *buckets) next(now time.Time) (wait time.Duration, ok bool) {
	for _, of := range b {
		if d, some := of.next(now); some && (!ok || d < wait) {
			wait, ok = d, true
		}
	}
	return wait, ok
}
