package real

import (
	"testing"
	"time"
)

// costing plays bursts until the ways have been compared. cost is what a burst
// of a MiB costs in each way, by how many of that way came before; negative: it
// does not go in that way.
func costing(t *testing.T, c *wayCosts, cost func(w way, n int) time.Duration) (way, [ways]time.Duration) {
	t.Helper()
	var tried [ways]int
	for range wayAttempts {
		w, measure := c.choose(true)
		if !measure {
			t.Fatal("not measured")
		}
		d := cost(w, tried[w])
		tried[w]++
		strayed := 0
		if d < 0 {
			strayed = 1 << 19
		}
		if chosen, costs, compared := c.measured(w, 1<<20, strayed, max(d, -d)); compared {
			return chosen, costs
		}
	}
	t.Fatal("never compared")
	return 0, [ways]time.Duration{}
}

func TestTheCheapestWayIsChosen(t *testing.T) {
	always := func(costs ...time.Duration) func(way, int) time.Duration {
		return func(w way, _ int) time.Duration { return costs[w] }
	}
	for name, c := range map[string]struct {
		cost func(way, int) time.Duration
		want way
	}{
		"sendfile": {always(400, 700, 500), sendfile},
		"copied":   {always(700, 400, 500), copied},
		"mapped":   {always(700, 400, 300), mapped},
		"a way that is hardly cheaper is not worth it": {always(400, 390, 385), sendfile},
		"nothing can be mapped":                        {always(700, 400, -1), copied},
		"nothing goes in any way":                      {always(-1, -1, -1), sendfile},
		"sendfile is refused":                          {always(-1, 700, 300), mapped},
		"some bursts are disturbed": {func(w way, n int) time.Duration {
			if n%5 < 2 {
				return []time.Duration{100, 4000, 90000}[w]
			}
			return []time.Duration{700, 400, 300}[w]
		}, mapped},
		"no time passes": {always(0, 0, 0), sendfile},
	} {
		t.Run(name, func(t *testing.T) {
			costs := new(wayCosts)
			if got, found := costing(t, costs, c.cost); got != c.want {
				t.Errorf("%v, by %v", got, found)
			}
			if w, measure := costs.choose(true); w != c.want || measure {
				t.Errorf("then %v, measured %v", w, measure)
			}
		})
	}
}

// What was found does not hold for ever.
func TestWaysAreMeasuredAgain(t *testing.T) {
	c := new(wayCosts)
	costing(t, c, func(w way, _ int) time.Duration { return []time.Duration{3, 2, 1}[w] })
	const burst = 16 << 20
	for _, period := range []int{firstPeriod, 4 * firstPeriod, maxPeriod, maxPeriod} {
		for sent := 0; sent < period; sent += burst {
			if w, measure := c.choose(true); w != mapped || measure {
				t.Fatalf("%v after %d bytes, measured %v", w, sent, measure)
			}
			c.sent(burst)
		}
		costing(t, c, func(w way, _ int) time.Duration { return []time.Duration{3, 2, 1}[w] })
	}
	c.sent(maxPeriod)
	if got, costs := costing(t, c, func(w way, _ int) time.Duration { return []time.Duration{10, 20, 30}[w] }); got != sendfile || costs[mapped] != 30 {
		t.Errorf("%v, by %v", got, costs)
	}
}

// A peer that takes little at a time decides nothing, and has sendfile first.
func TestSmallBurstsAreNotMeasured(t *testing.T) {
	c := new(wayCosts)
	for range 10 * wayAttempts {
		w, _ := c.choose(true)
		if _, _, compared := c.measured(w, wayTrialLen-1, 0, time.Second); compared || w != sendfile {
			t.Fatalf("%v, compared: %v", w, compared)
		}
	}
	if w, measure := c.choose(false); w != sendfile || measure {
		t.Errorf("a burst that is small for certain: %v, measured %v", w, measure)
	}
	if w, measure := (*wayCosts)(nil).choose(true); w != sendfile || measure {
		t.Errorf("a network that measures nothing: %v", w)
	}
}

// Bursts that began before the ways were compared, on other links, change
// nothing.
func TestLateMeasurementsAreIgnored(t *testing.T) {
	c := new(wayCosts)
	costing(t, c, func(w way, _ int) time.Duration { return []time.Duration{3, 2, 1}[w] })
	for range wayAttempts {
		if _, _, compared := c.measured(sendfile, 1<<20, 0, 0); compared {
			t.Fatal("compared again")
		}
	}
	if w, _ := c.choose(true); w != mapped {
		t.Error(w)
	}
}
