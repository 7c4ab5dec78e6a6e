package lab

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Of a thousand nodes within 1000 s half have come by these times.
func TestArrivalsDiffer(t *testing.T) {
	const n = 1000
	for spec, want := range map[string][2]time.Duration{
		"uniform":          {450 * time.Second, 550 * time.Second},
		"flash":            {20 * time.Second, 50 * time.Second},
		"poisson,rate=2":   {220 * time.Second, 280 * time.Second},
		"poisson,rate=0.5": {900 * time.Second, 1100 * time.Second},
	} {
		next, err := Arrivals.Make(spec)
		if err != nil {
			t.Fatal(err)
		}
		rnd := rand.New(rand.NewPCG(1, 2))
		var came []time.Duration
		last := time.Duration(0)
		for range n {
			last = next(last, 1000*time.Second, rnd)
			came = append(came, last)
		}
		slices.Sort(came)
		if half := came[n/2]; half < want[0] || half > want[1] {
			t.Errorf("%s: half have come after %v, want %v", spec, half, want)
		}
	}
	next, err := Arrivals.Make("listed,times=0s 1.5s 1.5s 1m")
	if err != nil {
		t.Fatal(err)
	}
	last := time.Duration(0)
	for _, want := range []time.Duration{0, 1500 * time.Millisecond, 1500 * time.Millisecond, time.Minute} {
		if last = next(last, 0, nil); last != want {
			t.Errorf("listed: one comes after %v, want %v", last, want)
		}
	}
	if Arrivals.Check("poisson,rate=0") == nil {
		t.Error("a class can come never")
	}
}
