package limiter

import (
	"slices"
	"testing"
	"time"
)

// BenchmarkGrant is a second of 100 takers that always want more.
func BenchmarkGrant(b *testing.B) {
	wants := slices.Repeat([]int{128 << 10}, 100)
	grants := 0
	b.ReportAllocs()
	for b.Loop() {
		k := newBucket[int](burst, start)
		k.setRate(100<<20, start)
		run(k, start, time.Second, wants, func(time.Time, int, int) { grants++ })
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(grants), "ns/grant")
}
