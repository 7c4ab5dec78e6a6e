package view

import (
	"bytes"
	"fmt"
	"kouzui"
	"net/netip"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

func example() *kouzui.Status {
	return &kouzui.Status{
		Name: "movie\x1b[31m.bin", State: kouzui.StateDownloading,
		Pieces: 4, HavePieces: 2, Length: 4 << 20, Have: 2 << 20, Left: 2 << 20,
		DownNow: 1 << 20, UpNow: 512, Downloaded: 2 << 20, Uploaded: 1 << 20,
		Peers: 3, Unchoked: 2, Seeds: 1, Map: []uint8{255, 255, 0, 0},
		Top: []kouzui.Peer{{
			Addr: netip.MustParseAddrPort("127.0.0.1:6881"), Map: []uint8{255, 255, 255, 255}, DownNow: 1 << 20,
		}},
	}
}

func TestLines(t *testing.T) {
	got := strings.Join(Lines([]*kouzui.Status{example()}, Canvas{Width: 80, Height: 20}), "\n")
	want := strings.TrimPrefix(`
movie�[31m.bin  downloading
▕█████████████             ▏  50.0%  down 1.00 MiB/s, up 512 B/s, 2s left
2.00 MiB of 4.00 MiB  3 peers (1 seed), 2 let us download  ratio 0.50
our pieces            ██·· 
127.0.0.1:6881        ████ down 1.00 MiB/s`, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// With less room a torrent takes fewer lines, and torrents without a line are
// counted.
func TestLinesShrink(t *testing.T) {
	one := []*kouzui.Status{example()}
	for height, want := range map[int]int{20: 5, 5: 5, 4: 4, 3: 1, 1: 1} {
		if got := len(Lines(one, Canvas{Width: 80, Height: height})); got != want {
			t.Errorf("height %d: %d lines, want %d", height, got, want)
		}
	}
	many := []*kouzui.Status{example(), example(), example()}
	got := Lines(many, Canvas{Width: 80, Height: 2})
	if len(got) != 2 || got[1] != "and 2 more" {
		t.Errorf("got %q", got)
	}
}

func TestLinesFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := example()
		p.Name = rapid.String().Draw(t, "name")
		p.Why = rapid.String().Draw(t, "why")
		p.Have = rapid.Int64Range(0, p.Length).Draw(t, "have")
		p.Map = rapid.SliceOfN(rapid.Byte(), 0, 256).Draw(t, "map")
		c := Canvas{Width: rapid.IntRange(narrowest, 200).Draw(t, "width"), Height: rapid.IntRange(1, 20).Draw(t, "height"), Colour: rapid.Bool().Draw(t, "colour")}
		lines := Lines([]*kouzui.Status{p}, c)
		if len(lines) > c.Height {
			t.Fatalf("%d lines for a height of %d", len(lines), c.Height)
		}
		for _, line := range lines {
			if w := ansi.StringWidth(line); w > c.Width {
				t.Fatalf("%d cells for a width of %d: %q", w, c.Width, line)
			}
			if !c.Colour && strings.Contains(line, "\x1b") {
				t.Fatalf("an escape without colours: %q", line)
			}
		}
	})
}

func TestLine(t *testing.T) {
	p := example()
	p.Why = "All peers\rchoke us."
	want := "movie�[31m.bin: downloading 50.0%, down 1.00 MiB/s, up 512 B/s, 2s left, 2.00 MiB of 4.00 MiB, " +
		"3 peers (1 seed), 2 let us download, ratio 0.50. All peers choke us."
	if got := Line(p); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	checking := &kouzui.Status{Name: "a", State: kouzui.StateChecking, CheckDone: 1, CheckTotal: 3}
	if got, want := Line(checking), "a: checking 33.3%"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMap(t *testing.T) {
	for _, c := range []struct {
		cells []uint8
		width int
		want  string
	}{
		{[]uint8{0, 1, 128, 254, 255}, 10, "·░▒▓█"},
		{[]uint8{255, 255, 255, 0}, 2, "█▒"},
		{[]uint8{0, 0, 0, 1}, 1, "░"},
		{nil, 10, ""},
	} {
		if got := Map(c.cells, c.width); got != c.want {
			t.Errorf("Map(%v, %d) = %q, want %q", c.cells, c.width, got, c.want)
		}
	}
}

// TestScreen: lines are erased even if the terminal has become narrower and
// wrapped them.
func TestScreen(t *testing.T) {
	var got bytes.Buffer
	width := 20
	s := NewScreen(&got, func() (int, int) { return width, 10 })
	show := func(lines ...string) func() {
		return func() { s.Show(func(int, int) []string { return lines }) }
	}
	for _, step := range []struct {
		do   func()
		want string
	}{
		{show("one", "two"), "one\ntwo\n"},
		{show("one", "two"), ""},
		{func() { fmt.Fprint(s, "log") }, "\x1b[2A\r\x1b[Jlog\none\ntwo\n"},
		{show(strings.Repeat("x", 15)), "\x1b[2A\r\x1b[J" + strings.Repeat("x", 15) + "\n"},
		{func() { width = 10; show("y")() }, "\x1b[2A\r\x1b[Jy\n"},
		{s.Clear, "\x1b[1A\r\x1b[J"},
		{show("z"), "z\n"},
		{s.Close, ""},
		{func() { fmt.Fprintln(s, "after") }, "after\n"},
	} {
		got.Reset()
		step.do()
		if got.String() != step.want {
			t.Errorf("got %q, want %q", got.String(), step.want)
		}
	}
}
