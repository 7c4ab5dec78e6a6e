package rate

import "time"

// MaxSpan is the most seconds that Rolling.Over can look back.
const MaxSpan = 20

// Rolling counts in slots of a second and tells the rate over the last seconds.
// The slot that is still filling counts by how much of it has passed.
type Rolling struct {
	total int64
	slots []int64   // MaxSpan+1 of them, or none while nothing has come for so long
	start time.Time // when counting began
	now   int64     // the second, since start, that is being filled
}

// NewRolling returns an estimate that begins to count at start.
func NewRolling(start time.Time) Rolling { return Rolling{start: start} }

// Total is all that was ever added.
func (r *Rolling) Total() int64 { return r.total }

// Rest frees the slots, and with them what was added in the last MaxSpan
// seconds. It is for a connection over which nothing has come for so long.
func (r *Rolling) Rest() { r.slots = nil }

func (r *Rolling) slot(second int64) *int64 { return &r.slots[second%(MaxSpan+1)] }

// advance empties the slots of the seconds that have passed.
func (r *Rolling) advance(now time.Time) {
	second := int64(now.Sub(r.start) / time.Second)
	if r.slots == nil {
		r.now = max(r.now, second)
		return
	}
	if second-r.now > MaxSpan {
		clear(r.slots)
		r.now = second
	}
	for r.now < second {
		r.now++
		*r.slot(r.now) = 0
	}
}

// Add counts n that came at now.
func (r *Rolling) Add(now time.Time, n int) {
	r.advance(now)
	if r.slots == nil {
		r.slots = make([]int64, MaxSpan+1)
	}
	*r.slot(r.now) += int64(n)
	r.total += int64(n)
}

// Over is the mean over the last seconds, at most MaxSpan, in units a second.
// What is younger than that is measured over its age, but over one second at
// least: else a first block would look like a high rate.
func (r *Rolling) Over(now time.Time, seconds int) float64 {
	r.advance(now)
	if r.slots == nil {
		return 0
	}
	var sum int64
	for i := range int64(seconds) + 1 {
		if r.now-i < 0 {
			break
		}
		sum += *r.slot(r.now - i)
	}
	age := now.Sub(r.start)
	partial := age - age.Truncate(time.Second)
	over := min(age, time.Duration(seconds)*time.Second+partial)
	return float64(sum) / max(over, time.Second).Seconds()
}
