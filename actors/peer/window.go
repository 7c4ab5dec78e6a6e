package peer

import (
	"math"
	"time"

	"kouzui/actors/runtime/rate"
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
	// recent is how many seconds the rate spans that is shown, and by which it is
	// decided how much is asked for and handed over.
	recent = 3
)

// window decides how many requests are kept under way: what the peer answers in
// the time that an answer takes, and some more. It starts small and grows by no
// more than what comes, so it doubles with each round trip at most.
type window struct {
	size    int
	most    int // what the peer says that it queues
	snubbed bool

	flow    rate.Flow     // blocks that came
	latency time.Duration // the shortest that an answer took
}

func newWindow(most int) window {
	return window{size: minWindow, most: most, latency: math.MaxInt64}
}

// arrived takes note of blocks that came; the last of them was asked for at sent.
//
// The shortest answer is the one that waited for no other, so it tells of the
// wire. The rate follows a rise at once and a fall slowly: a pause of the wire is
// no reason to ask for less.
func (w *window) arrived(blocks int, sent, now time.Time) {
	w.snubbed = false
	w.latency = min(w.latency, now.Sub(sent))
	w.flow.Add(now, blocks, max(w.latency, shortest), rate.RiseAtOnce)
	fit := queueMost
	if r := w.flow.PerSecond(); r > 0 {
		fit = int(refill*r*w.latency.Seconds() + min(r*queueTime.Seconds(), queueMost))
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
