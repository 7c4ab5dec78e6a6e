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
	slots []int64   // span+1 of them, or none while nothing has come for so long
	start time.Time // when counting began
	now   int64     // the second, since start, that is being filled
}

func (m *meter) begin(now time.Time) { *m = meter{start: now} }

// rest forgets slots in which nothing is.
func (m *meter) rest() { m.slots = nil }

func (m *meter) slot(second int64) *int64 { return &m.slots[second%(span+1)] }

// advance empties the slots of the seconds that have passed.
func (m *meter) advance(now time.Time) {
	second := int64(now.Sub(m.start) / time.Second)
	if m.slots == nil {
		m.now = max(m.now, second)
		return
	}
	if second-m.now > span {
		clear(m.slots)
		m.now = second
	}
	for m.now < second {
		m.now++
		*m.slot(m.now) = 0
	}
}

func (m *meter) add(now time.Time, n int) {
	m.advance(now)
	if m.slots == nil {
		m.slots = make([]int64, span+1)
	}
	*m.slot(m.now) += int64(n)
	m.total += int64(n)
}

// rate is the mean over the last seconds, in bytes a second. A connection
// younger than that is measured over its age, but over one second at least, so
// that a first block does not look like a torrent.
func (m *meter) rate(now time.Time, seconds int) float64 {
	m.advance(now)
	if m.slots == nil {
		return 0
	}
	var sum int64
	for i := range int64(seconds) + 1 {
		if m.now-i < 0 {
			break
		}
		sum += *m.slot(m.now - i)
	}
	age := now.Sub(m.start)
	partial := age - age.Truncate(time.Second)
	over := min(age, time.Duration(seconds)*time.Second+partial)
	return float64(sum) / max(over, time.Second).Seconds()
}
