package supervise

import (
	"testing"

	"pgregory.net/rapid"
)

// The messages that are measured stand for all, but for the last few; and no
// two that are close share a place.
func TestTheSampleStandsForAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 5000).Draw(t, "messages")
		m := &timing{all: rapid.Bool().Draw(t, "all")}
		sum, last, of := uint64(0), int64(-1), 0
		for i := range n {
			sample, stands, is := m.measured(i)
			if !is {
				continue
			}
			if sample != last+1 {
				t.Fatalf("the sample after %d is %d", last, sample)
			}
			last = sample
			sum += stands
			of++
		}
		if int64(sum) > n || m.all && int64(sum) != n || 2*int64(sum) < n || int64(sum) < n-timedEvery {
			t.Fatalf("of %d messages %d are measured, which stand for %d", n, of, sum)
		}
	})
}
