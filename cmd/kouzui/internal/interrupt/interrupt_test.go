package interrupt

import (
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestSignals(t *testing.T) {
	for name, c := range map[string]struct {
		at            []time.Duration // since the start
		first, second bool
	}{
		"none":                       {nil, false, false},
		"one":                        {[]time.Duration{0}, true, false},
		"two at once are one":        {[]time.Duration{0, 0}, true, false},
		"two soon are one":           {[]time.Duration{0, oneSignal - 1}, true, false},
		"two":                        {[]time.Duration{0, oneSignal}, true, true},
		"a burst, and one later":     {[]time.Duration{0, 1, 2, time.Second}, true, true},
		"the burst does not grow on": {[]time.Duration{0, oneSignal - 1, oneSignal}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				signals := make(chan os.Signal)
				s := watch(signals)
				defer s.Close()
				began := time.Now()
				for _, at := range c.at {
					time.Sleep(at - time.Since(began)) // virtual time
					select {
					case signals <- os.Interrupt:
					case <-s.Second:
					}
					synctest.Wait()
				}
				if got := closed(s.First); got != c.first {
					t.Errorf("first: %v, want %v", got, c.first)
				}
				if got := closed(s.Second); got != c.second {
					t.Errorf("second: %v, want %v", got, c.second)
				}
			})
		})
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
