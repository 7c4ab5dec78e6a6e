package rate_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/actors/runtime/rate"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

func TestRollingMeasuresASteadyRate(t *testing.T) {
	for _, span := range []int{3, rate.MaxSpan} {
		r := rate.NewRolling(start)
		for i := range 600 {
			r.Add(at(float64(i)/10), 1000)
		}
		if got := r.Over(at(60), span); math.Abs(got-10000) > 500 {
			t.Errorf("over %d s: %.0f bytes a second, want 10000", span, got)
		}
		if r.Total() != 600_000 {
			t.Errorf("total %d", r.Total())
		}
	}
}

func TestRollingForgets(t *testing.T) {
	r := rate.NewRolling(start)
	r.Add(at(1), 1<<20)
	if got := r.Over(at(10), rate.MaxSpan); got < 100_000 {
		t.Errorf("after 9 s: %.0f", got)
	}
	if got := r.Over(at(10), 3); got != 0 {
		t.Errorf("over 3 s, after 9 s: %.0f", got)
	}
	if got := r.Over(at(22), rate.MaxSpan); got != 0 {
		t.Errorf("after 21 s: %.0f", got)
	}
	if got := r.Over(at(10_000), rate.MaxSpan); got != 0 {
		t.Errorf("after hours: %.0f", got)
	}
}

// Rest may be called whenever nothing has come for MaxSpan: it changes no rate,
// then or later.
func TestRollingRests(t *testing.T) {
	kept, rested := rate.NewRolling(start), rate.NewRolling(start)
	for _, r := range []*rate.Rolling{&kept, &rested} {
		r.Add(at(5), 1<<20)
	}
	rested.Rest()
	for _, r := range []*rate.Rolling{&kept, &rested} {
		r.Add(at(40), 1000)
	}
	for now := 40.0; now < 70; now += 0.5 {
		if a, b := kept.Over(at(now), rate.MaxSpan), rested.Over(at(now), rate.MaxSpan); a != b {
			t.Errorf("after %.1f s: %.0f, %.0f with a rest", now, a, b)
		}
	}
	if rested.Total() != 1<<20+1000 {
		t.Errorf("total %d", rested.Total())
	}
}

// A rolling rate never exceeds all that was counted within a second.
func TestRollingProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rate.NewRolling(start)
		now, sum := 0.0, int64(0)
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			now += rapid.Float64Range(0, 10).Draw(t, "pause")
			n := rapid.IntRange(0, 1<<20).Draw(t, "bytes")
			r.Add(at(now), n)
			sum += int64(n)
			if got := r.Over(at(now), rate.MaxSpan); got < 0 || got > float64(sum) {
				t.Fatalf("rate %.0f of %d bytes", got, sum)
			}
			if r.Total() != sum {
				t.Fatalf("total %d, want %d", r.Total(), sum)
			}
		}
	})
}

func TestFlow(t *testing.T) {
	const least = 100 * time.Millisecond
	type arrival struct {
		at float64
		n  int
	}
	tests := map[string]struct {
		blend    rate.Blend
		arrivals []arrival
		want     float64
	}{
		"nothing is known at first":            {rate.Mean, nil, 0},
		"nor before a measurement is over":     {rate.Mean, []arrival{{0.05, 1000}}, 0},
		"the first measurement is taken":       {rate.Mean, []arrival{{0.05, 500}, {0.1, 500}}, 10_000},
		"it lasts until something comes":       {rate.Mean, []arrival{{0.5, 1000}}, 2000},
		"a mean rises half of the way":         {rate.Mean, []arrival{{0.1, 1000}, {0.2, 3000}}, 20_000},
		"and falls half of the way":            {rate.Mean, []arrival{{0.1, 1000}, {0.2, 0}}, 5000},
		"what rises at once does":              {rate.RiseAtOnce, []arrival{{0.1, 1000}, {0.2, 3000}}, 30_000},
		"and falls by a quarter of the way":    {rate.RiseAtOnce, []arrival{{0.1, 1000}, {0.2, 0}}, 7500},
		"what came in each measurement counts": {rate.RiseAtOnce, []arrival{{0.1, 1000}, {0.15, 2000}, {0.2, 2000}}, 40_000},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var f rate.Flow
			f.Resume(start)
			for _, a := range test.arrivals {
				f.Add(at(a.at), a.n, least, test.blend)
			}
			if got := f.PerSecond(); math.Abs(got-test.want) > 1 {
				t.Errorf("%.0f a second, want %.0f", got, test.want)
			}
		})
	}
}

// A rest in which nothing was asked for does not make a flow look slow.
func TestFlowResumes(t *testing.T) {
	var f rate.Flow
	f.Resume(start)
	f.Add(at(1), 1000, time.Second, rate.Mean)
	f.Resume(at(100))
	f.Add(at(101), 1000, time.Second, rate.Mean)
	if got := f.PerSecond(); math.Abs(got-1000) > 1 {
		t.Errorf("%.0f a second, want 1000", got)
	}
}
