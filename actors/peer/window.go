package peer

import (
	"math"
	"time"
)

const (
	minWindow  = 16
	maxWindow  = 2000 // of a peer that says that it queues as many (BEP 10)
	usual      = 250  // what one queues that says nothing
	snubWindow = 1

	// Beside the requests that are on the wire, further ones wait with the peer, so
	// that it never has nothing to do: as many as it answers in queueTime, up to
	// queueMost blocks.
	queueTime = 1500 * time.Millisecond
	queueMost = 256
	// refill is how much longer the wire is taken for than it is: the scheduler
	// refills a window when a quarter of it is free.
	refill = 4.0 / 3
	// shortest is how long the rate is measured for at least.
	shortest = 100 * time.Millisecond
)

// window decides how many requests are kept under way: what the peer answers in
// the time that an answer takes, and some more. It starts small and grows by no
// more than what comes, so it doubles with each round trip at most.
type window struct {
	size    int
	most    int // what the peer says that it queues
	snubbed bool

	rate    float64       // blocks a second, 0: not known yet
	latency time.Duration // the shortest that an answer took
	since   time.Time     // of the current measurement
	blocks  int
}

func newWindow(most int) window {
	return window{size: minWindow, most: most, latency: math.MaxInt64}
}

// begins takes note that the peer is asked for something after a rest.
func (w *window) begins(now time.Time) { w.since, w.blocks = now, 0 }

// arrived takes note of blocks that came; the last of them was asked for at sent.
//
// The shortest answer is the one that waited for no other, so it tells of the
// wire. The rate follows a rise at once and a fall slowly: a pause of the wire is
// no reason to ask for less.
func (w *window) arrived(blocks int, sent, now time.Time) {
	w.snubbed = false
	w.latency = min(w.latency, now.Sub(sent))
	w.blocks += blocks
	if d := now.Sub(w.since); d >= max(w.latency, shortest) {
		measured := float64(w.blocks) / d.Seconds()
		w.rate = max(measured, (3*w.rate+measured)/4)
		w.since, w.blocks = now, 0
	}
	fit := queueMost
	if w.rate > 0 {
		fit = int(refill*w.rate*w.latency.Seconds() + min(w.rate*queueTime.Seconds(), queueMost))
	}
	w.size = max(min(w.size+blocks, fit), minWindow)
}

// snub takes note that nothing came for too long.
func (w *window) snub() {
	*w = newWindow(w.most)
	w.snubbed = true
}

// allow takes note of how many requests the peer says that it queues.
func (w *window) allow(requests int) { w.most = min(requests, maxWindow) }

func (w *window) requests() int {
	if w.snubbed {
		return snubWindow
	}
	return min(w.size, w.most)
}
