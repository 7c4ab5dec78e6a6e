package units

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for in, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute, "2d": 2 * day,
		"1w": 7 * day, "1w2d3h": 9*day + 3*time.Hour, "1d 12h": 36 * time.Hour, " 5 m ": 5 * time.Minute,
		"200ms": 200 * time.Millisecond, "-1s": -time.Second, "2D": 2 * day, "0.0000000001s": 1,
	} {
		if got, err := ParseDuration(in); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "-", "5", "1y", "d", "1.2.3s", "5 apples", "1e3s", "999999w", "inf", "nan", "+1s", "1h5", "1 2s", "- 1s", "1s-2s", "1m m"} {
		got, err := ParseDuration(in)
		if err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", in, got)
		} else if strings.Contains(err.Error(), "time:") || strings.Contains(err.Error(), "strconv") {
			t.Errorf("ParseDuration(%q) fails in the words of the language: %v", in, err)
		}
	}
}

// What time.Duration prints is read as the same time.
func TestDurationsOfGoAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(1000*time.Hour)/1e6).Draw(t, "milliseconds")) * time.Millisecond
		got, err := ParseDuration(d.String())
		if err != nil || got != d {
			t.Fatalf("%v is read as %v, %v", d, got, err)
		}
	})
}
