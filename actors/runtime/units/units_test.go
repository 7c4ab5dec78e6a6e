package units

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "1500": 1500, "16b": 16, "1k": 1024, "1.5M": 3 << 19, "20 MiB": 20 << 20, "2G": 2 << 30, "1TiB": 1 << 40,
		"700MB": 700e6, "700mb": 700e6, "1kB": 1000, " 3K ": 3072,
	} {
		if got, err := ParseBytes(in); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	for in, want := range map[string]int64{"16Mbit": 2e6, "16Mbit/s": 2e6, "0.5": 1, "0.0": 0, "100K/s": 100 << 10, "8kbit": 1000, "1GB/s": 1e9, " 1 MB/s ": 1e6} {
		if got, err := ParseRate(in); err != nil || got != want {
			t.Errorf("ParseRate(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "k", "-1", "1e9", "inf", "nan", "0x10", "1 2", "5 apples", "9999999T", "1.2.3", "M5", "1 M B", "1MB/m"} {
		if got, err := ParseRate(in); err == nil {
			t.Errorf("ParseRate(%q) = %d, want an error", in, got)
		}
	}
	for _, in := range []string{"16Mbit", "16Mbit ", "1MB/s"} {
		if got, err := ParseBytes(in); err == nil {
			t.Errorf("ParseBytes(%q) = %d, want an error", in, got)
		}
	}
}

func TestPrint(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.00 KiB", 10239: "10.0 KiB", 1<<20 - 1: "1.00 MiB", 123 << 20: "123 MiB",
		5 << 40: "5.00 TiB", 5000 << 40: "5000 TiB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0s", 100 * time.Millisecond: "1s", 59 * time.Second: "59s", 187 * time.Second: "3m07s",
		8100 * time.Second: "2h15m", 102 * time.Hour: "4d06h",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
	if got := Percent(999_999, 1_000_000); got != "99.9%" {
		t.Errorf("what is not whole shows as %s", got)
	}
	if got := Percent(0, 0); got != "100%" {
		t.Errorf("an empty torrent shows as %s", got)
	}
}

// What Bytes prints can be read again, and differs by less than its last digit.
func TestBytesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1<<50).Draw(t, "n")
		got, err := ParseBytes(Bytes(n))
		if err != nil {
			t.Fatal(err)
		}
		if diff := max(got, n) - min(got, n); diff > n/100 {
			t.Fatalf("%d is printed as %s, which reads as %d", n, Bytes(n), got)
		}
	})
}

func TestETA(t *testing.T) {
	if d, ok := ETA(1000, 100); !ok || d != 10*time.Second {
		t.Errorf("got %v, %v", d, ok)
	}
	for _, c := range []struct {
		left int64
		rate float64
	}{{0, 100}, {1000, 0}, {1 << 50, 1}} {
		if d, ok := ETA(c.left, c.rate); ok {
			t.Errorf("ETA(%d, %g) = %v", c.left, c.rate, d)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 files", 1: "1 file", 2: "2 files"} {
		if got := Count(n, "file"); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
