package limiter

import (
	"slices"
	"time"

	"kouzui/wire/frame"
)

// How a rate is cut up into grants.
const (
	// burst is what a bucket usually holds at most, in time at its rate: a quarter
	// of a second in a window of 10 s is 2.5 % over the rate.
	burst = time.Second / 4
	// grantBytes is the most of one grant, a block, so that many peers share a
	// rate evenly. It is less where that takes longer than maxGrant, and more
	// where it takes less than minGrant, which would not be worth a message.
	grantBytes = frame.BlockSize
	maxGrant   = time.Second / 8
	minGrant   = time.Second / 64
	// minPause is the least time from one look at the waiting to the next.
	minPause = time.Second / 200
)

// Values of a rate that are no limits.
const (
	untold    = -1 // nothing is granted before SetLimits
	unlimited = 0
)

// bucket is a token bucket with the queue of those that wait for its tokens. It
// starts empty: a restart is never a way to get more than the rate.
type bucket[K comparable] struct {
	burst  time.Duration
	rate   int64   // bytes a second, or untold or unlimited
	level  float64 // bytes
	filled time.Time
	queue  []want[K]
}

type want[K comparable] struct {
	who   K
	bytes int
}

func newBucket[K comparable](burst time.Duration, now time.Time) *bucket[K] {
	return &bucket[K]{burst: burst, rate: untold, filled: now}
}

// setRate changes the rate. Of the tokens that were earned at the old one, it
// keeps what the new burst allows; time without a limit has earned none.
func (b *bucket[K]) setRate(rate int64, now time.Time) {
	b.fill(now)
	if b.rate == untold || b.rate == unlimited {
		b.level = 0
	}
	b.rate = max(rate, unlimited)
	b.level = min(b.level, b.capacity())
}

// ask puts who at the end of the queue, or leaves it in its place there.
func (b *bucket[K]) ask(who K, bytes int) {
	bytes = max(bytes, 1)
	if i := b.find(who); i >= 0 {
		b.queue[i].bytes = bytes
		return
	}
	b.queue = append(b.queue, want[K]{who, bytes})
}

// drop takes who out of the queue.
func (b *bucket[K]) drop(who K) {
	if i := b.find(who); i >= 0 {
		b.queue = slices.Delete(b.queue, i, i+1)
	}
}

func (b *bucket[K]) find(who K) int {
	return slices.IndexFunc(b.queue, func(w want[K]) bool { return w.who == who })
}

// grant takes those out of the queue that get something now, first come first
// served; want.bytes is what each gets. One that wanted more asks again, behind
// the others.
func (b *bucket[K]) grant(now time.Time) []want[K] {
	b.fill(now)
	n := 0
	for ; n < len(b.queue); n++ {
		share, ok := b.share(b.queue[n])
		if !ok || b.rate != unlimited && b.level < float64(share) {
			break
		}
		b.queue[n].bytes = share
		if b.rate != unlimited {
			b.level -= float64(share)
		}
	}
	granted := slices.Clone(b.queue[:n])
	b.queue = slices.Delete(b.queue, 0, n)
	return granted
}

// next is how long until grant has something to give; false means that time
// alone does not bring it.
func (b *bucket[K]) next(now time.Time) (time.Duration, bool) {
	if len(b.queue) == 0 {
		return 0, false
	}
	share, ok := b.share(b.queue[0])
	if !ok {
		return 0, false
	}
	if b.rate == unlimited {
		return 0, true
	}
	b.fill(now)
	lacking := float64(share) - b.level
	return max(time.Duration(lacking/float64(b.rate)*float64(time.Second))+1, minPause), true
}

// share is how much of a want is granted in one go. It always fits into the
// bucket.
func (b *bucket[K]) share(w want[K]) (bytes int, ok bool) {
	switch b.rate {
	case untold:
		return 0, false
	case unlimited:
		return w.bytes, true
	}
	return min(w.bytes, int(b.most())), true
}

// most is the largest grant; at a few bytes a second still one.
func (b *bucket[K]) most() float64 {
	return max(min(grantBytes, b.worth(maxGrant)), b.worth(minGrant), 1)
}

// fill adds what was earned since the last time. A clock that went back adds
// nothing.
func (b *bucket[K]) fill(now time.Time) {
	elapsed := now.Sub(b.filled)
	if elapsed <= 0 {
		return
	}
	b.filled = now
	b.level = min(b.level+b.worth(elapsed), b.capacity())
}

// capacity is the burst; a bucket holds one grant in any case.
func (b *bucket[K]) capacity() float64 { return max(b.worth(b.burst), b.most()) }

// worth is how many bytes may pass in a time; none while there is no rate.
func (b *bucket[K]) worth(d time.Duration) float64 {
	return float64(max(b.rate, 0)) * d.Seconds()
}
