package peer

import "time"

const (
	span   = 20 // seconds that the rolling average spans: what choking ranks by
	recent = 3  // seconds that the rate for the display and the window spans
)

// meter counts bytes in slots of a second and tells their rate over the last
// seconds. The slot that is still filling counts by how much of it has passed.
type meter struct {
	total int64
	slots [span + 1]int64
	start time.Time // when counting began
	now   int64     // the second, since start, that is being filled
}

func (m *meter) begin(now time.Time) { *m = meter{start: now} }

// advance empties the slots of the seconds that have passed.
func (m *meter) advance(now time.Time) {
	second := int64(now.Sub(m.start) / time.Second)
	if second-m.now >= int64(len(m.slots)) {
		clear(m.slots[:])
		m.now = second
	}
	for m.now < second {
		m.now++
		m.slots[m.now%int64(len(m.slots))] = 0
	}
}

func (m *meter) add(now time.Time, n int) {
	m.advance(now)
	m.slots[m.now%int64(len(m.slots))] += int64(n)
	m.total += int64(n)
}

// rate is the mean over the last seconds, in bytes a second. A connection
// younger than that is measured over its age, but over one second at least, so
// that a first block does not look like a torrent.
func (m *meter) rate(now time.Time, seconds int) float64 {
	m.advance(now)
	var sum int64
	for i := range int64(seconds) + 1 {
		if m.now-i < 0 {
			break
		}
		sum += m.slots[(m.now-i)%int64(len(m.slots))]
	}
	age := now.Sub(m.start)
	partial := age - age.Truncate(time.Second)
	over := min(age, time.Duration(seconds)*time.Second+partial)
	return float64(sum) / max(over, time.Second).Seconds()
}
