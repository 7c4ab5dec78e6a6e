package supervise

import (
	"kouzui/actors/runtime/event"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func TestBackoffGrowsToItsCap(t *testing.T) {
	b := Backoff{Base: time.Second, Cap: 5 * time.Second, Factor: 2, Jitter: -1, Budget: -1}
	h := History{Started: epoch}
	for i, want := range []time.Duration{1, 2, 4, 5, 5} {
		d := b.Next(&h, epoch, nil)
		if d.Action != event.ActionRestart || d.Delay != want*time.Second || d.Attempt != i+1 || d.BudgetLeft != -1 {
			t.Fatalf("failure %d: %+v, want a delay of %d s", i+1, d, want)
		}
	}
	if h.Restarts != nil {
		t.Errorf("without a budget %d restarts are remembered", len(h.Restarts))
	}
}

func TestBackoffStartsAgainAfterAHealthyLife(t *testing.T) {
	b := Backoff{Base: time.Second, Jitter: -1, Healthy: time.Minute}
	h := History{Started: epoch, Attempt: 4}
	if d := b.Next(&h, epoch.Add(59*time.Second), nil); d.Attempt != 5 {
		t.Errorf("after 59 s: attempt %d, want 5", d.Attempt)
	}
	if d := b.Next(&h, epoch.Add(time.Minute), nil); d.Attempt != 1 || d.Delay != time.Second {
		t.Errorf("after a minute: %+v, want a first attempt", d)
	}
}

func TestBudgetIsSpentWithinItsWindow(t *testing.T) {
	for spent, want := range map[Spent]event.Action{ThenEscalate: event.ActionEscalate, ThenStop: event.ActionStop, Forever: event.ActionRestart} {
		b := Backoff{Base: time.Second, Cap: 9 * time.Second, Jitter: -1, Budget: 2, Window: time.Minute, WhenSpent: spent}
		h := History{Started: epoch}
		for left := 1; left >= 0; left-- {
			if d := b.Next(&h, epoch, nil); d.Action != event.ActionRestart || d.BudgetLeft != left {
				t.Fatalf("%+v, want a restart with %d left", d, left)
			}
		}
		d := b.Next(&h, epoch.Add(59*time.Second), nil)
		if d.Action != want {
			t.Errorf("spent: %+v, want %s", d, want)
		}
		if want == event.ActionRestart && d.Delay != b.Cap {
			t.Errorf("for ever: delay %v, want the cap", d.Delay)
		}
		if d := b.Next(&h, epoch.Add(time.Minute), nil); d.Action != event.ActionRestart || d.BudgetLeft != 1 {
			t.Errorf("window over: %+v, want a restart with 1 left", d)
		}
	}
}

func TestBackoffProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Backoff{
			Base:      time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "base")),
			Cap:       time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "cap")),
			Factor:    rapid.Float64Range(1, 10).Draw(t, "factor"),
			Jitter:    rapid.Float64Range(0.01, 1).Draw(t, "jitter"),
			Budget:    rapid.IntRange(1, 5).Draw(t, "budget"),
			Window:    time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "window")),
			WhenSpent: rapid.SampledFrom([]Spent{ThenEscalate, ThenStop, Forever}).Draw(t, "spent"),
		}
		rnd := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed")))
		now, h := epoch, History{Started: epoch}
		var granted []time.Time
		for _, gap := range rapid.SliceOfN(rapid.Int64Range(0, int64(time.Minute)), 1, 200).Draw(t, "gaps") {
			now = now.Add(time.Duration(gap))
			d := b.Next(&h, now, rnd)
			if d.Delay < 0 || d.Delay > b.Cap {
				t.Fatalf("delay %v beyond the cap %v", d.Delay, b.Cap)
			}
			if len(h.Restarts) > b.Budget {
				t.Fatalf("%d restarts remembered, budget %d", len(h.Restarts), b.Budget)
			}
			if d.Action == event.ActionRestart && b.WhenSpent != Forever {
				granted = append(granted, now)
			}
			if n := len(granted); n > b.Budget && granted[n-1].Sub(granted[n-1-b.Budget]) < b.Window {
				t.Fatalf("more than %d restarts within %v", b.Budget, b.Window)
			}
		}
	})
}

func TestByKindNamesTheStrategyThatDecided(t *testing.T) {
	s := ByKind(map[string]Strategy{"store": Escalate}, StopChild)
	for kind, want := range map[string]event.Action{"store": event.ActionEscalate, "peer": event.ActionStop} {
		if d := s.Decide(Failure{Kind: kind}); d.Action != want || d.Strategy != string(want) {
			t.Errorf("%s: %+v, want %s", kind, d, want)
		}
	}
}

func TestWhatFailsAtOnceIsGivenUpByDefault(t *testing.T) {
	b := DefaultBackoff
	b.WhenSpent = ThenStop
	var h History
	now := epoch
	for n := 0; ; n++ {
		d := b.Next(&h, now, rand.New(rand.NewPCG(1, 2)))
		if d.Action == event.ActionStop {
			if n != b.Budget || now.Sub(epoch) > 2*time.Minute {
				t.Errorf("given up after %d restarts and %v", n, now.Sub(epoch))
			}
			return
		}
		if n > b.Budget {
			t.Fatalf("%d restarts in %v, of a budget of %d", n, now.Sub(epoch), b.Budget)
		}
		now = now.Add(d.Delay)
	}
}
