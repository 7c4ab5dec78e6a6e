package timeleft

import (
	"kouzui"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Unix(1_000_000_000, 0)

func report(second int, left int64, rate float64) *kouzui.Status {
	return &kouzui.Status{State: kouzui.StateDownloading, At: start.Add(time.Duration(second) * time.Second), Left: left, DownNow: rate}
}

// A steady rate is known as soon as it has settled, and a report that comes
// twice changes nothing.
func TestSteady(t *testing.T) {
	var e Estimate
	for second := range 60 {
		left := int64(100-second) * 1000
		known := time.Duration(second)*time.Second >= settled
		for range 2 {
			got, ok := e.Left(report(second, left, 1000))
			if want := time.Duration(100-second) * time.Second; ok != known || ok && (got-want).Abs() > time.Millisecond {
				t.Fatalf("after %d s: %v, %v, want %v, %v", second, got, ok, want, known)
			}
		}
	}
}

// Rates that jump between half and twice the mean do not make the time left
// jump.
func TestSmooth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var e Estimate
		left, before := int64(1e9), time.Duration(0)
		for second := range 120 {
			rate := rapid.Float64Range(5e5, 2e6).Draw(t, "rate")
			left -= int64(rate)
			got, ok := e.Left(report(second, left, rate))
			if !ok && second >= 3 {
				t.Fatal("no estimate")
			}
			if jump := math.Abs((got - before + time.Second).Seconds()) / got.Seconds(); second > 30 && jump > 0.15 {
				t.Fatalf("after %d s the time left goes from %v to %v", second, before, got)
			}
			before = got
		}
	})
}

// Without data for a while nobody knows; neither outside a download.
func TestUnknown(t *testing.T) {
	var e Estimate
	for second, rate := range []float64{1000, 1000, 1000, 1000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1000} {
		_, ok := e.Left(report(second, 1e6, rate))
		if want := second >= 3 && second <= 3+int(stalled.Seconds()); ok != want {
			t.Errorf("after %d s: %v, want %v", second, ok, want)
		}
	}
	for _, p := range []*kouzui.Status{
		{State: kouzui.StateSeeding, DownNow: 10}, {State: kouzui.StateChecking, Left: 10, DownNow: 10},
		{State: kouzui.StateDownloading, DownNow: 10}, {State: kouzui.StateDownloading, Left: 10},
	} {
		if got, ok := new(Estimate).Left(p); ok {
			t.Errorf("%+v: %v", p, got)
		}
	}
}

// What comes before and while connections begin is not made a time.
func TestBeginning(t *testing.T) {
	var e Estimate
	for second, rate := range []float64{0, 0, 0, 0, 0, 700, 3e5, 9e5} {
		if got, ok := e.Left(report(second, 64e6, rate)); ok {
			t.Errorf("after %d s: %v", second, got)
		}
	}
	for second := 8; second < 20; second++ {
		if got, ok := e.Left(report(second, 64e6, 1e6)); !ok || got > 2*time.Minute {
			t.Errorf("after %d s: %v, %v", second, got, ok)
		}
	}
}

// A rate that breaks down for some seconds at the end does not make it jump:
// taken from the rate of the moment, it went from 2 s to 365 s.
func TestSmoothAtTheEnd(t *testing.T) {
	var e Estimate
	for second := range 30 {
		e.Left(report(second, 32e6-int64(second)*1e6, 1e6))
	}
	for i, rate := range []float64{6e5, 4e5, 5e3, 0, 0} {
		if got, ok := e.Left(report(30+i, 2e6, rate)); !ok || got > 5*time.Second {
			t.Errorf("%v, %v", got, ok)
		}
	}
}
