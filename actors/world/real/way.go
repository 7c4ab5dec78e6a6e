package real

import (
	"slices"
	"sync"
	"time"
)

const (
	// wayTrials is how many bursts of payload a way is measured by; their median
	// counts, so that what disturbs a few of them decides nothing.
	wayTrials = 9
	// wayTrialLen is how many bytes a burst has at least that is measured. In a
	// smaller one, what all ways have in common weighs too much.
	wayTrialLen = 256 << 10
	// wayRest is how many bursts of a link are not measured after one that was
	// shorter: its peer takes little at a time.
	wayRest = 16
	// wayStrayed is the part of a burst that may go in another way, such as the
	// rest of a block that the socket had no room for.
	wayStrayed = 10
	// wayAttempts is how many such bursts are sent until the ways are compared,
	// whether all could be measured or not: of files that are not in memory, say,
	// nothing is mapped.
	wayAttempts = 8 * wayTrials
	// firstPeriod is how many bytes go in the chosen way until the ways are
	// measured again, by some 20 MiB: what is measured while connections are new
	// can mislead. Each further period is periodGrowth times as long, up to
	// maxPeriod.
	firstPeriod  = 64 << 20
	periodGrowth = 4
	maxPeriod    = 1 << 30
	// wayMargin is by how many hundredths a way has to be cheaper than the one
	// that is listed before it.
	wayMargin = 5
)

// way is how payload gets from a file into a socket. In no way is memory held
// while the socket is full.
type way uint8

// The ways that are known, the simplest first.
const (
	sendfile way = iota // the system moves it, block by block
	copied              // read into memory of ours, and written from there
	mapped              // neighbouring blocks are mapped, and written from there
	ways                // how many there are
)

func (w way) String() string { return [ways]string{"sendfile", "copied", "mapped"}[w] }

// wayCosts chooses the way that takes the least processor time here, by
// measuring all of them, one after the other, in bursts of payload that are due
// anyway. All links of a network share one, which is safe for concurrent use.
// The nil *wayCosts always chooses sendfile.
type wayCosts struct {
	mu       sync.Mutex
	chosen   way
	left     int64 // bytes to be sent in the chosen way; then the ways are measured
	period   int64 // the next; 0: the first
	attempts int
	samples  [ways][]time.Duration // for a MiB
}

// choose returns the way for the next burst, and whether it is to be measured.
// long says that the burst may be long enough for that.
func (c *wayCosts) choose(long bool) (w way, measure bool) {
	if c == nil {
		return sendfile, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left > 0 || !long {
		return c.chosen, false
	}
	return way(c.attempts % int(ways)), true
}

// sent counts the bytes of a burst that was not measured.
func (c *wayCosts) sent(bytes int) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left -= int64(bytes)
}

// measured records what a burst in way w cost, of which some bytes strayed from
// that way. It returns true if the ways have been compared, and what each costs
// for a MiB, 0 if that is not known.
func (c *wayCosts) measured(w way, bytes, strayed int, cost time.Duration) (chosen way, costs [ways]time.Duration, compared bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left > 0 || bytes < wayTrialLen {
		return 0, costs, false
	}
	c.attempts++
	if s := &c.samples[w]; strayed <= bytes/wayStrayed && len(*s) < wayTrials {
		*s = append(*s, time.Duration(float64(cost)*(1<<20)/float64(bytes)))
	}
	if c.attempts < wayAttempts && slices.ContainsFunc(c.samples[:], func(s []time.Duration) bool { return len(s) < wayTrials }) {
		return 0, costs, false
	}
	c.chosen, costs = cheapest(c.samples)
	c.left, c.attempts = max(c.period, firstPeriod), 0
	c.period = min(c.left*periodGrowth, maxPeriod)
	for i := range c.samples {
		c.samples[i] = c.samples[i][:0]
	}
	return c.chosen, costs, true
}

// cheapest compares the medians of the ways that could be measured as often as
// they should. If there are none, it is sendfile.
func cheapest(samples [ways][]time.Duration) (best way, costs [ways]time.Duration) {
	for w, s := range samples {
		if len(s) < wayTrials {
			continue
		}
		slices.Sort(s)
		costs[w] = max(s[len(s)/2], 1)
		if least := costs[best]; least == 0 || costs[w] < least-least*wayMargin/100 {
			best = way(w)
		}
	}
	return best, costs
}
