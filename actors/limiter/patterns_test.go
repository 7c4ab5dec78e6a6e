package limiter

import (
	"testing"
	"time"

	"kouzui/messages"
)

// What passes at once when nobody has wanted anything for a minute.
func TestLimitersSaveUp(t *testing.T) {
	const rate = 1 << 20
	for spec, want := range map[string]int{
		"":                      rate / 4,
		"token-bucket,burst=2s": 2 * rate,
		"leaky-bucket":          grantBytes,
	} {
		rule, err := Limiters.Make(spec)
		if err != nil {
			t.Fatal(err)
		}
		b := newBucket[int](rule.Burst, start)
		b.setRate(rate, start)
		now, got, after := start.Add(time.Minute), 0, 0
		for again := true; again; {
			b.ask(0, 4*grantBytes)
			grants := b.grant(now)
			for _, g := range grants {
				got += g.bytes
			}
			again = len(grants) > 0
		}
		run(b, now, 10*time.Second, []int{4 * grantBytes}, func(_ time.Time, _, bytes int) { after += bytes })
		if got != want {
			t.Errorf("%s: %d bytes at once, want %d", spec, got, want)
		}
		if after < 10*rate*99/100 || after > 10*rate {
			t.Errorf("%s: %d bytes in the 10 s that follow, the rate is %d", spec, after, rate)
		}
	}
}

// Two peers share a rate, or each has it.
func TestLimitersPerPeer(t *testing.T) {
	for spec, both := range map[string]bool{"": false, "token-bucket,per=peer": true, "leaky-bucket": false, "leaky-bucket,per=peer": true} {
		t.Run(spec, func(t *testing.T) {
			s := performBy(t, spec)
			a, b := s.StartProbe("a"), s.StartProbe("b")
			s.Tell(&messages.SetLimits{Down: 8000}) // grants of 1000
			ask(s, a, messages.Down, 3000)
			ask(s, b, messages.Down, 3000)
			s.Settle()
			s.World.Clock.Advance(126 * time.Millisecond)
			granted(t, a, messages.Down, 1000)
			if both {
				granted(t, b, messages.Down, 1000)
			} else {
				s.Quiet(b)
			}
			s.Stop(b)
			ask(s, a, messages.Down, 3000)
			s.Settle()
			s.World.Clock.Advance(126 * time.Millisecond)
			granted(t, a, messages.Down, 1000)
		})
	}
}

// With none, a limit is asked for and not kept; before it is told nothing
// passes, as ever.
func TestLimiterNone(t *testing.T) {
	s := performBy(t, "none")
	a, b := s.StartProbe("a"), s.StartProbe("b")
	ask(s, a, messages.Down, 3000)
	s.Settle()
	s.Quiet(a)
	s.Tell(&messages.SetLimits{Down: 8, Up: 8})
	ask(s, b, messages.Up, 1<<20)
	s.Settle()
	granted(t, a, messages.Down, 3000)
	granted(t, b, messages.Up, 1<<20)
}

func TestKeysOfLimiters(t *testing.T) {
	for spec, want := range map[string]string{
		"token-bucket,burst=0s":  `"token-bucket,burst=0s" is wrong: burst must be more than 0; without one it is the limiter leaky-bucket`,
		"token-bucket,per=house": `"token-bucket,per=house" is wrong: per "house" must be client or peer`,
		"leaky-bucket,burst=1s":  `"leaky-bucket,burst=1s" is wrong: there is no key "burst"; there are per`,
	} {
		if err := Limiters.Check(spec); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", spec, err, want)
		}
	}
}
