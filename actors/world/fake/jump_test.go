package fake

import (
	"testing"
	"time"
)

func TestJumping(t *testing.T) {
	clock := NewClock(time.Unix(0, 0))
	j := NewJumping(clock)
	before := j.Now()
	for _, by := range []time.Duration{5 * time.Hour, -1000 * time.Hour} {
		date := j.Now()
		j.Jump(by)
		clock.Advance(time.Millisecond)
		now := j.Now()
		if passed := now.Sub(before); passed != time.Millisecond {
			t.Errorf("%v: %v has passed", by, passed)
		}
		if jumped := now.Round(0).Sub(date.Round(0)); jumped != by+time.Millisecond {
			t.Errorf("the date has jumped by %v, not %v", jumped, by)
		}
		before = now
	}
}
