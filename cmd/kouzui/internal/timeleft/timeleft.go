// Package timeleft estimates how long a download will still take.
package timeleft

import (
	"kouzui"
	"math"
	"time"

	"kouzui/actors/runtime/units"
)

const (
	// smoothing is the time after which a rate counts for a third. With less, the
	// time left jumps with each pause of a peer; with more, it takes minutes to
	// learn that a fast peer has come.
	smoothing = 20 * time.Second
	// settled is for how long data must have come before the rate says something.
	// The first rates of a download are those of connections that only begin, and
	// make the first seconds a quarter of an hour.
	settled = 3 * time.Second
	// stalled is how long nothing may come until nobody can say how long it takes.
	stalled = 10 * time.Second
	// between is the usual time between two reports on a torrent.
	between = time.Second
)

// Estimate is what is known of one torrent's rate. The zero value knows
// nothing.
type Estimate struct {
	rate, weight float64 // exponential averages of the rate, and of 1
	at           time.Time
	began, moved time.Time // when data came first, and last
}

// Left takes a report on the torrent, and says how long the rest will take. It
// returns false if there is nothing left, or no saying.
func (e *Estimate) Left(p *kouzui.Status) (time.Duration, bool) {
	if p.State != kouzui.StateDownloading || p.Left <= 0 {
		*e = Estimate{}
		return 0, false
	}
	if e.began.IsZero() {
		if p.DownNow < 1 {
			return 0, false
		}
		e.began = p.At
	}
	since := between
	if e.weight > 0 {
		since = max(0, p.At.Sub(e.at))
	}
	part := -math.Expm1(-since.Seconds() / smoothing.Seconds())
	e.rate += part * (p.DownNow - e.rate)
	e.weight += part * (1 - e.weight)
	e.at = p.At
	if p.DownNow >= 1 {
		e.moved = p.At
	}
	if p.At.Sub(e.moved) > stalled {
		*e = Estimate{}
		return 0, false
	}
	if p.At.Sub(e.began) < settled {
		return 0, false
	}
	return units.ETA(p.Left, e.rate/e.weight)
}
