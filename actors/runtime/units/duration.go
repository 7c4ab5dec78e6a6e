package units

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// spans are the units of ParseDuration. A longer unit stands before one that
// begins with the same letter.
var spans = []struct {
	unit string
	span time.Duration
}{
	{"ms", time.Millisecond}, {"us", time.Microsecond}, {"µs", time.Microsecond}, {"ns", time.Nanosecond},
	{"s", time.Second}, {"m", time.Minute}, {"h", time.Hour},
	{"d", 24 * time.Hour}, {"w", 7 * 24 * time.Hour},
}

// Why ParseDuration refuses a text.
var (
	errNoDuration = errors.New("must be a time such as 90s, 15m, 1h30m, 2d or 1w")
	errNoUnit     = errors.New("needs a unit: a time is written such as 90s, 15m, 1h30m, 2d or 1w")
	errTooLong    = errors.New("is too long: the longest time is about 290 years")
)

// ParseDuration reads a time: numbers, each with its unit, one after the other,
// such as "90s", "1.5h", "1d12h" or "2w"; spaces may stand between them. A 0
// needs no unit.
func ParseDuration(s string) (time.Duration, error) {
	rest, negative := strings.CutPrefix(strings.ToLower(strings.TrimSpace(s)), "-")
	if rest == "" {
		return 0, errNoDuration
	}
	var total float64 // nanoseconds
	for rest != "" {
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789."))]
		rest = strings.TrimSpace(rest[len(digits):])
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			return 0, errNoDuration
		}
		if rest == "" {
			if n != 0 {
				return 0, errNoUnit
			}
			break
		}
		span := time.Duration(0)
		for _, u := range spans {
			if after, ok := strings.CutPrefix(rest, u.unit); ok {
				rest, span = strings.TrimSpace(after), u.span
				break
			}
		}
		if span == 0 {
			return 0, errNoDuration
		}
		if total += n * float64(span); total >= math.MaxInt64 {
			return 0, errTooLong
		}
	}
	if total > 0 {
		total = max(1, total) // 0 often means never
	}
	if negative {
		total = -total
	}
	return time.Duration(math.Round(total)), nil
}
