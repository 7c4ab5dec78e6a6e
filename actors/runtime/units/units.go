// Package units reads and prints bytes, rates and durations, as people write
// them on a command line and read them on a screen.
package units

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// factors are in bytes. Units of one letter and units with an i are powers of
// 1024, kB, MB, GB and TB are powers of 1000, and kbit, Mbit and Gbit count
// bits.
var factors = []struct {
	unit  string
	bytes float64
}{
	{"kbit", 1e3 / 8}, {"mbit", 1e6 / 8}, {"gbit", 1e9 / 8},
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12},
	{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"t", 1 << 40},
	{"b", 1}, {"", 1},
}

// ParseBytes reads an amount of bytes: "1500", "1.5M", "20 MiB", "700MB".
func ParseBytes(s string) (int64, error) {
	if strings.HasSuffix(strings.ToLower(strings.TrimSpace(s)), "bit") {
		return 0, fmt.Errorf("%q is in bits, and bytes are needed", s)
	}
	return parse(s)
}

// ParseRate reads bytes a second: whatever ParseBytes reads, with or without a
// final "/s", and bits such as "16Mbit".
func ParseRate(s string) (int64, error) {
	amount, _ := strings.CutSuffix(strings.TrimSpace(s), "/s")
	return parse(amount)
}

func parse(s string) (int64, error) {
	lower := strings.ToLower(strings.TrimSpace(s))
	for _, f := range factors {
		digits, ok := strings.CutSuffix(lower, f.unit)
		if !ok {
			continue
		}
		digits = strings.TrimSpace(digits)
		n, err := strconv.ParseFloat(digits, 64)
		// ParseFloat also takes "inf", "0x10" and "1e9", which are no amounts here.
		if err != nil || strings.Trim(digits, "0123456789.") != "" {
			break
		}
		if n *= f.bytes; n >= math.MaxInt64 {
			return 0, fmt.Errorf("%q is too much", s)
		}
		if n > 0 {
			return max(1, int64(n)), nil // 0 often means no limit
		}
		return 0, nil
	}
	return 0, fmt.Errorf("%q must be an amount such as 500K, 1.5M, 2MiB or 700MB", s)
}

// Bytes prints an amount with three significant digits: "1.23 MiB".
func Bytes(n int64) string {
	const kib = 1 << 10
	if n < kib {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, unit := float64(n), 0
	for v >= kib-0.5 && unit < 4 {
		v /= kib
		unit++
	}
	decimals := 0
	switch {
	case v < 9.995:
		decimals = 2
	case v < 99.95:
		decimals = 1
	}
	return strconv.FormatFloat(v, 'f', decimals, 64) + " " + [...]string{"B", "KiB", "MiB", "GiB", "TiB"}[unit]
}

// Rate prints bytes a second.
func Rate(perSecond float64) string { return Bytes(int64(perSecond)) + "/s" }

// Percent prints a part of a whole: 100% only if the part is the whole.
func Percent(part, whole int64) string {
	if part >= whole {
		return "100%"
	}
	return fmt.Sprintf("%.1f%%", math.Floor(1000*float64(part)/float64(whole))/10)
}

// Count prints how many there are of something: "1 file", "3 files".
func Count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// Are is Count with the verb that fits: "1 file is", "3 files are".
func Are(n int, what string) string {
	if n == 1 {
		return Count(n, what) + " is"
	}
	return Count(n, what) + " are"
}

// Wrong says how many pieces of how many are not as they should be.
func Wrong(n, of int) string {
	switch {
	case of == 1:
		return "the only piece is wrong or missing"
	case n == 1:
		return fmt.Sprintf("1 of %d pieces is wrong or missing", of)
	}
	return fmt.Sprintf("%d of %d pieces are wrong or missing", n, of)
}

// Duration prints a duration in its two largest units: "42s", "3m07s", "2h15m",
// "4d06h".
func Duration(d time.Duration) string {
	s := int64(math.Ceil(d.Seconds()))
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%dd%02dh", s/86400, s%86400/3600)
}

// ETA is how long left bytes will take. It returns false if the rate is too low
// for an estimate.
func ETA(left int64, perSecond float64) (time.Duration, bool) {
	const longest = 100 * 24 * time.Hour
	if left <= 0 || perSecond < 1 {
		return 0, false
	}
	seconds := float64(left) / perSecond
	if seconds > longest.Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}
