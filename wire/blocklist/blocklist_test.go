package blocklist

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func TestForms(t *testing.T) {
	for line, c := range map[string]struct{ in, out string }{
		"Some one, Inc. - no: 1.2.3.4-1.2.3.6":                  {"1.2.3.4 1.2.3.5 1.2.3.6 ::ffff:1.2.3.5", "1.2.3.3 1.2.3.7"},
		"a:b:1.2.3.4-1.2.3.4":                                   {"1.2.3.4", "1.2.3.5"},
		"evil:2001:db8::-2001:db8::ff":                          {"2001:db8::80", "2001:db8::100"},
		"bad:2001:db8::-2001:db8::ff":                           {"2001:db8::80", "2001:db8::100"},
		"001.002.003.000 - 001.002.003.255 , 100 , over, there": {"1.2.3.0 1.2.3.255", "1.2.4.0"},
		"2001:db8::1 - 2001:db8::2 , 000 , x":                   {"2001:db8::1", "2001:db8::3"},
		"10.0.0.0/30":                                           {"10.0.0.3", "10.0.0.4"},
		"10.0.0.1/30 # whose":                                   {"10.0.0.0 10.0.0.3", "10.0.0.4"},
		"2001:db8::/32; SBL1":                                   {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
		"0.0.0.0/0":                                             {"0.0.0.0 255.255.255.255", "::1"},
		"::/0":                                                  {":: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1.2.3.4"},
		"1.2.3.4-1.2.3.6":                                       {"1.2.3.5", "1.2.3.7"},
		" 1.2.3.4\t":                                            {"1.2.3.4", "1.2.3.5"},
		"\ufeff1.2.3.4\r":                                       {"1.2.3.4", "1.2.3.5"},
		"::ffff:1.2.3.4":                                        {"1.2.3.4", "1.2.3.5"},
		"\xe9t\xe9:1.2.3.4-1.2.3.4":                             {"1.2.3.4", "1.2.3.5"},
	} {
		l, report, err := Read(strings.NewReader(line + "\n"))
		if err != nil || report.Entries != 1 || report.Bad != 0 || l.Len() != 1 {
			t.Errorf("%q: %d ranges, %+v, %v", line, l.Len(), report, err)
			continue
		}
		for _, a := range strings.Fields(c.in) {
			if !l.Blocks(netip.MustParseAddr(a)) {
				t.Errorf("%q lets %s pass", line, a)
			}
		}
		for _, a := range strings.Fields(c.out) {
			if l.Blocks(netip.MustParseAddr(a)) {
				t.Errorf("%q blocks %s", line, a)
			}
		}
	}
}

func TestWhatIsNoEntry(t *testing.T) {
	good := "192.0.2.1\n"
	for line, badLines := range map[string]int{
		"": 0, "# 1.2.3.4": 0, "; x": 0, "// x": 0, "   ": 0,
		"1.2.3.0 - 1.2.3.255 , 200 , trusted": 0,
		"x":                                   1, "1.2.3": 1, "1.2.3.256": 1, "1.2.3.4/33": 1, "1.2.3.4-1.2.3.3": 1, "1.2.3.4-::1": 1,
		"x:1.2.3.4-": 1, "x:1.2.3.4": 1, "fe80::1%eth0": 1, "0001.2.3.4": 1, "1.2.3.4-5": 1, "-": 1, ":-": 1, "<html>": 1, "\x00": 1,
		strings.Repeat("x", 100_000) + ":1.2.3.4-1.2.3.4": 1,
	} {
		l, report, err := Read(strings.NewReader(line + "\n" + good))
		if err != nil || report.Entries != 1 || report.Bad != badLines || l.Blocks(netip.MustParseAddr("1.2.3.4")) {
			t.Errorf("%.60q: %+v, %v", line, report, err)
		}
	}
}

func TestReportNamesTheLines(t *testing.T) {
	_, report, err := Read(strings.NewReader("1.2.3.4\nx\n\n#\ny"))
	if err != nil || !slices.Equal(report.Lines, []int{2, 5}) || report.Warning() != "2 lines cannot be read and are left out: 2, 5" {
		t.Errorf("%+v %q, %v", report, report.Warning(), err)
	}
	_, report, _ = Read(strings.NewReader("1.2.3.4\n" + strings.Repeat("x\n", 1000)))
	if report.Bad != 1000 || len(report.Lines) != shownBad || !strings.HasSuffix(report.Warning(), "6, …") {
		t.Errorf("%+v %q", report, report.Warning())
	}
	if _, report, err := Read(strings.NewReader("x\ny\n")); err == nil || report.Bad != 2 {
		t.Errorf("a list of nothing: %+v, %v", report, err)
	}
	if _, _, err := Read(strings.NewReader("")); err == nil {
		t.Error("an empty list is taken")
	}
}

func TestGzip(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	fmt.Fprintln(z, "1.2.3.4")
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	if l, _, err := Read(bytes.NewReader(whole)); err != nil || !l.Blocks(netip.MustParseAddr("1.2.3.4")) {
		t.Error(err)
	}
	if _, _, err := Read(bytes.NewReader(whole[:len(whole)-4])); err == nil {
		t.Error("a list that is cut off is taken")
	}
	broken := errors.New("broken")
	if _, _, err := Read(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// TestUnsupportedFormsAreNamed, as what they are and with a way out, in gzip
// too.
func TestUnsupportedFormsAreNamed(t *testing.T) {
	for begin, want := range map[string]string{
		"PK\x03\x04\x14\x00":                        "zip archive: unpack",
		"\xfd7zXZ\x00\x00\x04":                      "xz: unpack",
		"BZh91AY&SY":                                "bzip2: unpack",
		"\xff\xff\xff\xffP2B\x03":                   "P2B",
		"\xff\xfe1\x002\x007\x00":                   "UTF-16",
		"\x1f\x8b\x09\x00\x00\x00\x00\x00\x00\xff":  "damaged",
		"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff1": "cut off",
	} {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write([]byte(begin + "\n127.0.0.1\n"))
		z.Close()
		for _, text := range []string{begin, packed.String()} {
			if begin[0] == '\x1f' && text != begin {
				continue
			}
			_, _, err := Read(strings.NewReader(text))
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
}

func TestNilBlocksNobody(t *testing.T) {
	var l *List
	if l.Blocks(netip.MustParseAddr("1.2.3.4")) || l.Len() != 0 || (&List{}).Blocks(netip.Addr{}) {
		t.Error("it blocks")
	}
}

// A list blocks an address if, and only if, some range has it.
func TestBlocksWhatARangeHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		six := rapid.Bool().Draw(t, "six")
		// Few addresses, at both ends of the space, so that ranges meet.
		addr := rapid.Custom(func(t *rapid.T) netip.Addr {
			n, high := byte(rapid.IntRange(0, 20).Draw(t, "n")), rapid.Bool().Draw(t, "high")
			b := make([]byte, 4)
			if six {
				b = make([]byte, 16)
			}
			b[len(b)-1] = n
			if high {
				for i := range b {
					b[i] = ^b[i]
				}
			}
			a, _ := netip.AddrFromSlice(b)
			return a
		})
		var text strings.Builder
		var ranges [][2]netip.Addr
		for range rapid.IntRange(1, 8).Draw(t, "ranges") {
			a, b := addr.Draw(t, "a"), addr.Draw(t, "b")
			if b.Less(a) {
				a, b = b, a
			}
			ranges = append(ranges, [2]netip.Addr{a, b})
			fmt.Fprintf(&text, "x:%v-%v\n", a, b)
		}
		l, _, err := Read(strings.NewReader(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		a := addr.Draw(t, "asked")
		want := slices.ContainsFunc(ranges, func(r [2]netip.Addr) bool { return !a.Less(r[0]) && !r[1].Less(a) })
		if l.Blocks(a) != want || l.Len() > len(ranges) {
			t.Fatalf("%v: %v, want %v, of\n%s", a, !want, want, text.String())
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"a:1.2.3.4-1.2.3.5", "001.2.3.4 - 1.2.3.9 , 127 , x", "::/0", "a:b:::1-::2", "1.2.3.4#", "\x1f\x8b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, report, err := Read(bytes.NewReader(raw))
		if err == nil && l.Len() > report.Entries {
			t.Fatalf("%d ranges of %d entries", l.Len(), report.Entries)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var text bytes.Buffer
	for i := range uint32(500_000) {
		n := i * 2654435761 // in no order
		fmt.Fprintf(&text, "Name %d:%d.%d.%d.0-%d.%d.%d.255\n", i, n>>24, n>>16&255, n>>8&255, n>>24, n>>16&255, n>>8&255)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Read(bytes.NewReader(text.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadMany reads entries of single addresses, many of which touch or
// repeat each other.
func BenchmarkReadMany(b *testing.B) {
	const entries = 4_000_000
	for name, address := range map[string]func(n uint32) uint32{
		"sorted":    func(n uint32) uint32 { return n },
		"apart":     func(n uint32) uint32 { return n / 4 * 2 },
		"repeated":  func(n uint32) uint32 { return n * 7919 % (1 << 16) },
		"scattered": func(n uint32) uint32 { return n * 2654435761 >> 11 },
	} {
		b.Run(name, func(b *testing.B) {
			var text bytes.Buffer
			for i := range uint32(entries) {
				n := 10<<24 + address(i)
				fmt.Fprintf(&text, "%d.%d.%d.%d\n", n>>24, n>>16&255, n>>8&255, n&255)
			}
			b.SetBytes(int64(text.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Read(bytes.NewReader(text.Bytes())); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// endless repeats a text.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(b []byte) (n int, err error) {
	for n < len(b) {
		k := copy(b[n:], e.text[e.at:])
		n, e.at = n+k, (e.at+k)%len(e.text)
	}
	return n, nil
}

// No list takes for ever, of many lines or of one.
func TestWhatIsTooLong(t *testing.T) {
	for _, text := range []string{strings.Repeat("#", 4000) + "\n", strings.Repeat("x", 4000)} {
		if _, _, err := Read(&endless{text: text}); err == nil || !strings.Contains(err.Error(), "longer than") {
			t.Errorf("an endless list of %q...: %v", text[:1], err)
		}
	}
}

// generated is a list whose n-th line is made by line.
type generated struct {
	line func(n int) string
	rest string
	n    int
	last int
}

func (g *generated) Read(b []byte) (int, error) {
	for g.rest == "" {
		if g.n == g.last {
			return 0, io.EOF
		}
		g.rest = g.line(g.n)
		g.n++
	}
	n := copy(b, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}

// What is held of a list is bounded by its ranges, not by its entries: those
// that repeat, overlap or touch are merged while the list is read.
func TestEntriesAreMergedOnTheWay(t *testing.T) {
	const entries, most = 1_000_000, 8 << 20 // bytes
	g := &generated{last: entries, line: func(n int) string {
		n = n * 7919 % (1 << 16)
		return fmt.Sprintf("10.0.%d.%d\n", n>>8, n&255)
	}}
	var peak uint64
	line := g.line
	g.line = func(n int) string {
		if n%250_000 == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
		return line(n)
	}
	l, report, err := Read(g)
	if err != nil || report.Entries != entries || l.Len() != 1 {
		t.Fatalf("%d ranges of %+v, %v", l.Len(), report, err)
	}
	if peak > most {
		t.Errorf("%d bytes in use", peak)
	}
}

// More ranges than any list has are refused before they take the memory.
func TestRangesAreBounded(t *testing.T) {
	g := &generated{last: 10 * MaxRanges, line: func(n int) string {
		n *= 2
		return fmt.Sprintf("%d.%d.%d.%d\n", n>>24, n>>16&255, n>>8&255, n&255)
	}}
	if _, report, err := Read(g); !errors.Is(err, errTooMany) || report.Entries > 2*MaxRanges {
		t.Errorf("%+v, %v", report, err)
	}
	g = &generated{last: MaxRanges, line: g.line}
	if l, _, err := Read(g); err != nil || l.Len() != MaxRanges {
		t.Errorf("%d ranges, %v", l.Len(), err)
	}
}
