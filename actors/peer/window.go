package peer

import "kouzui/wire/buffer"

const (
	minWindow  = 16
	maxWindow  = 500 // what clients commonly take without dropping requests
	queueTime  = 1.5 // seconds of data that are kept asked for
	snubWindow = 1
)

// window decides how many requests are kept under way: as many as the peer
// delivers in queueTime. It starts small and doubles with each window that has
// come (slow start) until what the rate asks for has caught up with it.
type window struct {
	size     int
	starting bool
	snubbed  bool
}

func newWindow() window { return window{size: minWindow, starting: true} }

// arrived takes note of blocks that came; rate is in bytes a second.
func (w *window) arrived(blocks int, rate float64) {
	w.snubbed = false
	fit := int(rate * queueTime / buffer.Size)
	if w.starting {
		w.size += blocks
		// The rate lags behind by its averaging: let growth run up to twice
		// of what it already asks for.
		w.starting = w.size < maxWindow && w.size <= max(2*fit, 2*minWindow)
	} else {
		w.size = fit
	}
	w.size = min(max(w.size, minWindow), maxWindow)
}

// snub takes note that nothing came for too long.
func (w *window) snub() {
	*w = newWindow()
	w.snubbed = true
}

func (w *window) requests() int {
	if w.snubbed {
		return snubWindow
	}
	return w.size
}
