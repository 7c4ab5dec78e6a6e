package dispatch

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// times is n loads of the same size.
func times(n int, load float64) []float64 { return slices.Repeat([]float64{load}, n) }

func TestProcessorsFollowTheLoad(t *testing.T) {
	for name, tc := range map[string]struct {
		most, number int
		loads        []float64
		want         int
	}{
		"little to do":            {8, 1, times(50, 0.1), 1},
		"more than one can do":    {8, 1, times(1, 1), 2},
		"doubled each time":       {8, 1, []float64{1, 2, 4}, 8},
		"no more than there are":  {6, 4, times(3, 6), 6},
		"enough for two":          {8, 2, times(50, 1), 2},
		"too little, not long":    {8, 4, times(calm-1, 0.1), 4},
		"too little, and long":    {8, 4, times(calm, 0.1), 2},
		"a gust in between":       {8, 4, append(times(calm-1, 0.1), append(times(1, 2), times(calm-1, 0.1)...)...), 4},
		"halved down to one":      {8, 8, times(50, 0), 1},
		"an odd number is halved": {6, 6, times(calm, 0), 3},
	} {
		f := &follower{most: tc.most, number: tc.number}
		for _, load := range tc.loads {
			f.number = f.decide(load)
		}
		if f.number != tc.want {
			t.Errorf("%s: %d, want %d", name, f.number, tc.want)
		}
	}
}

// Whatever the loads, the number is one of those that there are; a load that
// stays gets a number that can bear it, and keeps that number.
func TestProcessorsBearALoadThatStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &follower{most: rapid.IntRange(1, 64).Draw(t, "most"), number: 1}
		next := func(load float64) {
			f.number = f.decide(load)
			if f.number < 1 || f.number > f.most {
				t.Fatalf("%d of %d processors", f.number, f.most)
			}
		}
		for _, load := range rapid.SliceOf(rapid.Float64Range(0, 70)).Draw(t, "loads") {
			next(load)
		}
		load := rapid.Float64Range(0, 64).Draw(t, "load")
		for range 10 * calm {
			next(load)
		}
		settled := f.number
		if settled < f.most && load >= full*float64(settled) {
			t.Fatalf("%d processors for a load of %.2f", settled, load)
		}
		for range 10 * calm {
			if next(load); f.number != settled {
				t.Fatalf("from %d to %d processors at the same load", settled, f.number)
			}
		}
	})
}

// The program begins with one processor, workers and hashers are still as many
// as there are, and stop restores what was.
func TestFollowLoad(t *testing.T) {
	t.Setenv("GOMAXPROCS", "")
	defer runtime.SetDefaultGOMAXPROCS()
	runtime.GOMAXPROCS(4)
	stop := FollowLoad()
	_, known := TimeUsed()
	if got := runtime.GOMAXPROCS(0); known && got != 1 {
		t.Errorf("begins with %d", got)
	}
	if got := Processors(); got != 4 {
		t.Errorf("%d processors, want 4", got)
	}
	if f := following.Load(); f != nil {
		f.next.Store(0)
		f.used -= 1 << 40 // as if the process had used more than there is
		f.look()
		if got := runtime.GOMAXPROCS(0); got != 2 {
			t.Errorf("%d under load, want 2", got)
		}
		defer func() { // a worker that had seen f before stop
			f.begin = f.begin.Add(-24 * time.Hour)
			f.used -= 1 << 60
			f.most = 3
			if f.look(); runtime.GOMAXPROCS(0) != 4 {
				t.Errorf("a look changes the number to %d after stop", runtime.GOMAXPROCS(0))
			}
		}()
	}
	stop()
	if got := runtime.GOMAXPROCS(0); got != 4 {
		t.Errorf("%d afterwards, want 4", got)
	}

	t.Setenv("GOMAXPROCS", "3")
	defer FollowLoad()()
	if got := runtime.GOMAXPROCS(0); got != 4 {
		t.Errorf("%d although the user has set it", got)
	}
}

// However many workers look, a look is taken by one of them, and not before it
// is due.
func TestLooksAreTakenInTurn(t *testing.T) {
	const looks, workers = 1000, 8
	f := &follower{}
	var clock atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for range looks {
				now := time.Duration(clock.Add(1)) * lookEvery / 4
				if !f.take(now) {
					continue
				}
				if f.number++; f.number > 1 && now-f.last < lookEvery { // -race sees who else is here
					t.Errorf("a look at %v, after one at %v", now, f.last)
				}
				f.last = now
				f.next.Store(int64(now + lookEvery))
			}
		})
	}
	all.Wait()
	if f.number == 0 || f.number > looks*workers/4+1 {
		t.Errorf("%d looks", f.number)
	}
}

// BenchmarkLook is what a look that is not due adds to each run of a mailbox.
func BenchmarkLook(b *testing.B) {
	f := &follower{begin: time.Now()}
	f.next.Store(looking)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			f.look()
		}
	})
}
