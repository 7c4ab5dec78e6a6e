package peer

import (
	"errors"
	"math"
	"time"

	"kouzui/actors/runtime/pattern"
	"kouzui/actors/runtime/rate"
)

const (
	minWindow  = 8    // requests
	maxWindow  = 2000 // to a peer that says that it queues as many (BEP 10)
	usualMost  = 250  // what a peer queues that says nothing
	snubWindow = 1

	// refill is by what the latency is multiplied: the scheduler refills a window
	// when a quarter of it is free.
	refill = 4.0 / 3
	// minMeasured is how long the rate is measured for at least.
	minMeasured = 100 * time.Millisecond
	// recent is over how many seconds the rate is taken that is shown, and that
	// decides how much is handed to the link and when a request is late.
	recent = 3
)

// Queue says how many requests wait with a peer beside those that are on the
// wire, so that the peer always has something to do. What waits there longer is
// requested from others when they have nothing else, or is lost when a peer
// without the fast extension chokes us.
type Queue struct {
	Time time.Duration `about:"for how long what waits with the peer keeps it busy"`
	Most int           `about:"requests that wait there at most"`
}

// Check refuses queues without which the wire would stand still.
func (q Queue) Check() error {
	if q.Time <= 0 || q.Most < 1 {
		return errors.New("time and most must be above 0")
	}
	return nil
}

var usualQueue = Queue{Time: 500 * time.Millisecond, Most: 256}

// Queues are the depths of queues that a user can choose from.
var Queues = pattern.NewKind[Queue]("queue", "how far ahead blocks are requested of a peer", "usual", pattern.Everywhere, pattern.OfTorrent)

var _ = pattern.Keyed(Queues, "usual", "by a time at the peer's rate", usualQueue, func(q Queue) Queue { return q })

// window decides how many requests are in flight: as many as the peer answers
// in the time that an answer takes, and some more. It begins small and grows by
// no more than the blocks that come, so it doubles with each round trip at
// most.
type window struct {
	queue   Queue
	size    int
	most    int // requests that the peer says that it queues
	snubbed bool

	flow    rate.Flow     // blocks that came
	latency time.Duration // the shortest that an answer took
}

func newWindow(q Queue, most int) window {
	return window{queue: q, size: minWindow, most: most, latency: math.MaxInt64}
}

// arrived records blocks that came, the last of which was asked for at sent.
//
// The shortest answer waited for no other, so it shows the latency of the wire.
// The rate follows a rise at once and a fall slowly: a pause of the wire is no
// reason to ask for less.
func (w *window) arrived(blocks int, sent, now time.Time) {
	w.snubbed = false
	w.latency = min(w.latency, now.Sub(sent))
	w.flow.Add(now, blocks, max(w.latency, minMeasured), rate.RiseAtOnce)
	fit := w.queue.Most
	if r := w.flow.PerSecond(); r > 0 {
		fit = int(refill*r*w.latency.Seconds() + min(r*w.queue.Time.Seconds(), float64(w.queue.Most)))
	}
	w.size = max(min(w.size+blocks, fit), minWindow)
}

// snub records that the peer has sent nothing for too long.
func (w *window) snub() {
	*w = newWindow(w.queue, w.most)
	w.snubbed = true
}

// allow records how many requests the peer says that it queues.
func (w *window) allow(requests int) { w.most = min(requests, maxWindow) }

func (w *window) requests() int {
	if w.snubbed {
		return snubWindow
	}
	return min(w.size, w.most)
}
