package limiter

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// run lets the takers ask again whenever they are served, for a time, and
// reports each grant.
func run(b *bucket[int], now time.Time, d time.Duration, wants []int, granted func(at time.Time, who, bytes int)) {
	for who, bytes := range wants {
		b.ask(who, bytes)
	}
	for end := now.Add(d); ; {
		for _, g := range b.grant(now) {
			granted(now, g.who, g.bytes)
			b.ask(g.who, wants[g.who])
		}
		wait, ok := b.next(now)
		if !ok || now.Add(wait).After(end) {
			return
		}
		now = now.Add(wait)
	}
}

func TestRateIsExactInEveryWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := int64(math.Pow(10, rapid.Float64Range(3, 10).Draw(t, "log10 of the rate")))
		wants := rapid.SliceOfN(rapid.IntRange(1, 128<<10), 1, 30).Draw(t, "wants")
		// Wants small against the rate would leave the bucket unused between
		// two wake-ups of a taker that has just been served.
		for i := range wants {
			wants[i] = max(wants[i], int(rate/100))
		}
		idle := rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour}).Draw(t, "idle before")

		b := newBucket[int](burst, start)
		b.setRate(rate, start)
		type grant struct {
			at    time.Time
			bytes int64
		}
		var grants []grant
		const length, window = 25 * time.Second, 10 * time.Second
		begin := start.Add(idle)
		run(b, begin, length, wants, func(at time.Time, who, bytes int) {
			if bytes < 1 || bytes > wants[who] {
				t.Fatalf("%d bytes for a want of %d", bytes, wants[who])
			}
			grants = append(grants, grant{at, int64(bytes)})
		})
		for i, sum, last := 0, int64(0), 0; i < len(grants); i++ {
			for ; last < len(grants) && grants[last].at.Sub(grants[i].at) < window; last++ {
				sum += grants[last].bytes
			}
			want := float64(rate) * window.Seconds()
			if float64(sum) > 1.05*want {
				t.Fatalf("%d bytes in 10 s, the rate is %d", sum, rate)
			}
			if full := grants[i].at.Add(window).Before(begin.Add(length)); full && float64(sum) < 0.95*want {
				t.Fatalf("only %d bytes in 10 s, the rate is %d", sum, rate)
			}
			sum -= grants[i].bytes
		}
	})
}

func TestTakersShareFairly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := int64(math.Pow(10, rapid.Float64Range(3, 8).Draw(t, "log10 of the rate")))
		n := rapid.IntRange(2, 40).Draw(t, "takers")
		wants := make([]int, n)
		for i := range wants {
			wants[i] = 128 << 10
		}
		b := newBucket[int](burst, start)
		b.setRate(rate, start)
		turns := make([]int, n)
		run(b, start, 20*time.Second, wants, func(_ time.Time, who, _ int) { turns[who]++ })
		for who := range turns {
			if d := turns[0] - turns[who]; d < 0 || d > 1 {
				t.Fatalf("turns differ: %v", turns)
			}
		}
	})
}

func TestBurstIsBounded(t *testing.T) {
	for _, rate := range []int64{1, 1000, 1e6, 1e10} {
		b := newBucket[int](burst, start)
		b.setRate(rate, start)
		now, sum := start.Add(24*time.Hour), int64(0)
		for b.ask(0, math.MaxInt); ; b.ask(0, math.MaxInt) {
			got := b.grant(now)
			if len(got) == 0 {
				break
			}
			sum += int64(got[0].bytes)
		}
		if most := max(rate/4, 1); sum > most || sum < most/2 {
			t.Errorf("after a day at %d bytes a second, %d come at once", rate, sum)
		}
	}
}

func TestBlockAtATinyRateArrivesInParts(t *testing.T) {
	const rate, block = 5000, 16 << 10
	b := newBucket[int](burst, start)
	b.setRate(rate, start)
	now, got := start, 0
	for got < block {
		b.ask(0, block-got)
		wait, _ := b.next(now)
		if wait > maxGrant+time.Millisecond {
			t.Fatalf("nothing for %v", wait)
		}
		now = now.Add(wait)
		for _, g := range b.grant(now) {
			got += g.bytes
		}
	}
	if took := now.Sub(start); took < 3200*time.Millisecond || took > 3500*time.Millisecond {
		t.Errorf("the block took %v", took)
	}
}

func TestEdges(t *testing.T) {
	b := newBucket[int](burst, start)
	b.ask(1, 100)
	if got := b.grant(start.Add(time.Hour)); len(got) != 0 {
		t.Errorf("granted %v before any rate was told", got)
	}
	if _, ok := b.next(start); ok {
		t.Error("time alone brings no rate")
	}

	b.setRate(1000, start.Add(time.Hour))
	if got := b.grant(start.Add(time.Hour)); len(got) != 0 {
		t.Errorf("a bucket that is told its rate is not empty: %v", got)
	}
	b.ask(2, 5)
	b.ask(1, 7) // in place of its first
	now := start.Add(time.Hour + time.Second)
	if got := b.grant(now); len(got) != 2 || got[0] != (want[int]{1, 7}) || got[1] != (want[int]{2, 5}) {
		t.Errorf("granted %v", got)
	}

	b.ask(1, 1<<20)
	b.ask(2, 1<<20)
	b.drop(1)
	b.drop(3)
	b.setRate(0, now)
	if got := b.grant(now); len(got) != 1 || got[0] != (want[int]{2, 1 << 20}) {
		t.Errorf("without a limit, %v", got)
	}

	b.setRate(1000, now.Add(time.Hour))
	b.ask(1, 1)
	if got := b.grant(now.Add(time.Hour)); len(got) != 0 {
		t.Errorf("time without a limit earned %v", got)
	}
	if got := b.grant(now); len(got) != 0 || b.level < 0 {
		t.Errorf("a clock that goes back gives %v", got)
	}
}
