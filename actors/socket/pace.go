package socket

import "time"

const (
	// perSecond is how many datagrams are taken in a second, over time: more than
	// trackers and the DHT have use for, and few enough that a flood of them costs
	// a part of one processor.
	perSecond = 10_000
	// burst is how many may come at once beyond that.
	burst = 2_000
)

// pace limits how many datagrams are taken.
type pace struct {
	due time.Time // when all that was taken would have been taken evenly
}

// take counts datagrams, and returns how long to wait before more are taken.
func (p *pace) take(n int, now time.Time) time.Duration {
	if now.After(p.due) {
		p.due = now
	}
	p.due = p.due.Add(time.Duration(n) * time.Second / perSecond)
	return max(p.due.Sub(now)-burst*time.Second/perSecond, 0)
}
