package view

import (
	"kouzui"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"kouzui/messages"
)

func example() Torrent {
	return Torrent{TimeLeft: 2 * time.Second, Status: &kouzui.Status{
		Name: "movie\x1b[31m.bin", State: kouzui.StateDownloading,
		Pieces: 4, HavePieces: 2, Length: 4 << 20, Have: 2 << 20, Left: 2 << 20,
		DownNow: 1 << 20, UpNow: 512, Downloaded: 2 << 20, Uploaded: 1 << 20,
		Peers: 3, Unchoked: 2, Seeds: 1, Map: []uint8{255, 255, 0, 0},
		Top: []kouzui.Peer{{
			Addr: netip.MustParseAddrPort("127.0.0.1:6881"), Source: messages.Manual, Map: []uint8{255, 255, 255, 255}, DownNow: 1 << 20,
		}},
		Sources: []kouzui.SourceCount{
			{Kind: messages.SourceTracker, Known: 9}, {Kind: messages.SourceManual, Connected: 1, Known: 1}, {Kind: messages.SourceDHT, Connected: 2, Known: 2},
		},
	}}
}

func TestLines(t *testing.T) {
	got := strings.Join(Lines([]Torrent{example()}, Canvas{Width: 80, Height: 20}), "\n")
	want := strings.TrimPrefix(`
movie�[31m.bin  downloading
▕█████████████             ▏  50.0%  down 1.00 MiB/s, up 512 B/s, 2s left
2.00 MiB of 4.00 MiB  3 peers (1 seed), 2 let us download  ratio 0.50
sources: manual 1, DHT 2
our pieces                     ██·· 
127.0.0.1:6881        manual   ████ down 1.00 MiB/s`, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := Lines([]Torrent{example()}, Canvas{Width: 110, Height: 20})[2]; !strings.HasSuffix(got, "ratio 0.50  sources: manual 1, DHT 2") {
		t.Errorf("with more room it says %q", got)
	}
	secret := example()
	secret.Encrypted, secret.Top[0].Encrypted = 2, messages.EncryptedAll
	if got := strings.Join(Lines([]Torrent{secret}, Canvas{Width: 130, Height: 20}), "\n"); !strings.Contains(got, "3 peers (1 seed, 2 encrypted), 2 let") || !strings.HasSuffix(got, "down 1.00 MiB/s, encrypted") {
		t.Errorf("of encryption it says\n%s", got)
	}
	dht := example()
	dht.DHTNodes = 47
	if got := Lines([]Torrent{dht}, Canvas{Width: 130, Height: 20})[2]; !strings.HasSuffix(got, "sources: manual 1, DHT 2; 47 DHT nodes") {
		t.Errorf("of the DHT it says %q", got)
	}
	dht.Peers = 0
	if got := Lines([]Torrent{dht}, Canvas{Width: 130, Height: 20})[2]; !strings.HasSuffix(got, "ratio 0.50  47 DHT nodes") {
		t.Errorf("without peers it says %q", got)
	}
	dht.Sources, dht.DHTNodes = nil, 1
	if got := Line(dht); !strings.HasSuffix(got, "ratio 0.50, 1 DHT node") {
		t.Errorf("of the DHT it says %q", got)
	}
	if got := Lines([]Torrent{example()}, Canvas{Width: 70, Height: 20})[5]; got != "127.0.0.1:6881        ████ down 1.00 MiB/s" {
		t.Errorf("with less room it says %q", got)
	}
}

// While only the info hash is known, the live view says how much of the
// metadata has come, and whom it may come from.
func TestFetchingMetadata(t *testing.T) {
	p := Torrent{Status: &kouzui.Status{
		Name: "a", State: kouzui.StateMetadata, Peers: 3, DHTNodes: 12, Metadata: messages.MetadataProgress{Peers: 2, Size: 70000, Received: 35000},
		Sources: []kouzui.SourceCount{{Kind: messages.SourceDHT, Connected: 2}, {Kind: messages.SourceMagnet, Connected: 1}},
	}}
	for height, want := range map[int]string{
		20: `
a  fetching metadata
▕████████████▌            ▏  50.0%  34.2 KiB of 68.4 KiB, 3 of 5 parts
3 peers, 2 with metadata  sources: DHT 2, magnet 1; 12 DHT nodes`,
		1: `
▕█████     ▏  50.0%  fetching metadata          3 peers    a`,
	} {
		if got := "\n" + strings.Join(Lines([]Torrent{p}, Canvas{Width: 79, Height: height}), "\n"); got != want {
			t.Errorf("height %d:%s\nwant%s", height, got, want)
		}
	}
}

// Why nothing comes is told whole if there is room for more lines.
func TestAReasonIsToldWhole(t *testing.T) {
	p := example()
	p.Top, p.Why = nil, "No peer is connected: 12 addresses known, 8 from trackers, 4 from peer exchange, and none answers."
	for height, want := range map[int]string{
		6: "No peer is connected: 12 addresses known, 8 from trackers, 4 from peer exchange,\n  and none answers.",
		5: "No peer is connected: 12 addresses known, 8 from trackers, 4 from peer exchange…",
	} {
		if got := strings.Join(Lines([]Torrent{p}, Canvas{Width: 80, Height: height})[3:height-1], "\n"); got != want {
			t.Errorf("height %d:\n%s\nwant\n%s", height, got, want)
		}
	}
}

// With less room a torrent takes fewer lines, and torrents without a line are
// counted.
func TestLinesShrink(t *testing.T) {
	one := []Torrent{example()}
	for height, want := range map[int]int{20: 6, 6: 6, 5: 5, 4: 1, 1: 1} {
		if got := len(Lines(one, Canvas{Width: 80, Height: height})); got != want {
			t.Errorf("height %d: %d lines, want %d", height, got, want)
		}
	}
	many := []Torrent{example(), example(), example()}
	got := Lines(many, Canvas{Width: 80, Height: 2})
	if len(got) != 2 || got[1] != "and 2 more; 3 torrents: down 3.00 MiB/s, up 1.50 KiB/s" {
		t.Errorf("got %q", got)
	}
}

// One line a torrent tells rate, time left, peers, name and what is wrong. That
// torrents end changes nothing in the form.
func TestCompact(t *testing.T) {
	stuck, seed := example(), example()
	stuck.Why, stuck.TimeLeft, stuck.DownNow = "All peers choke us.", 0, 0
	seed.State, seed.Have, seed.Left, seed.TimeLeft = kouzui.StateSeeding, seed.Length, 0, 0
	list := []Torrent{example(), stuck, seed}
	want := strings.TrimPrefix(`
▕█████     ▏  50.0%  down 1.00 MiB/s      2s  3 peers    movie�[31m.bin
▕█████     ▏  50.0%  down 0 B/s               3 peers    movie�[31m.bin  All p…
▕██████████▏   100%  up 512 B/s               3 peers    movie�[31m.bin
3 torrents: down 2.00 MiB/s, up 1.50 KiB/s`, "\n")
	if got := strings.Join(Lines(list, Canvas{Width: 79, Height: 14}), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for n := 1; n <= 3; n++ {
		got := Lines(list[:n], Canvas{Width: 79, Height: 14, Torrents: 3})
		if len(got) != n+1 || got[0] != strings.Split(want, "\n")[0] {
			t.Errorf("%d of 3 torrents: %q", n, got)
		}
	}
}

// Below some width a line has no bar, and the name has room.
func TestCompactNarrow(t *testing.T) {
	want := " 50.0%  down 1.00 MiB/s      2s  3 peers    movie�[31m.bin"
	if got := Lines([]Torrent{example()}, Canvas{Width: 60, Height: 1}); len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What is not known yet is not shown as 0, neither is a ratio of nothing.
func TestUnknown(t *testing.T) {
	p := Torrent{Status: &kouzui.Status{Name: "a", State: kouzui.StateStarting, Length: 100, Left: 100}}
	for _, height := range []int{1, 20} {
		got := strings.Join(Lines([]Torrent{p}, Canvas{Width: 80, Height: height}), "\n")
		if !strings.Contains(got, "starting") || strings.Contains(got, "0") {
			t.Errorf("got %q", got)
		}
	}
	p.State = kouzui.StateDownloading
	if got := Line(p); strings.Contains(got, "ratio") {
		t.Errorf("got %q", got)
	}
	p.Have, p.Uploaded = 100, 50
	if got := Line(p); !strings.HasSuffix(got, "ratio 0.50") {
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
		if rapid.Bool().Draw(t, "fetching") {
			p.State = kouzui.StateMetadata
			p.Metadata = messages.MetadataProgress{Size: rapid.IntRange(0, messages.MaxMetadata).Draw(t, "size"), Failed: rapid.IntRange(0, 9).Draw(t, "wrong")}
			p.Metadata.Received = rapid.IntRange(0, p.Metadata.Size).Draw(t, "received")
		}
		c := Canvas{Width: rapid.IntRange(narrowest, 200).Draw(t, "width"), Height: rapid.IntRange(1, 20).Draw(t, "height"), Colour: rapid.Bool().Draw(t, "colour")}
		lines := Lines([]Torrent{p}, c)
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
		"3 peers (1 seed), 2 let us download, ratio 0.50, sources: manual 1, DHT 2. All peers choke us."
	if got := Line(p); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	fetching := Torrent{Status: &kouzui.Status{Name: "a", State: kouzui.StateMetadata, Peers: 3, Why: "3 peers, none of which has told us the metadata."}}
	if got, want := Line(fetching), "a: fetching metadata, 3 peers. 3 peers, none of which has told us the metadata."; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	fetching.Why, fetching.Metadata = "", messages.MetadataProgress{Peers: 2, Size: 70000, Received: 36000, Failed: 1}
	if got, want := Line(fetching), "a: fetching metadata 51.4%, 35.2 KiB of 68.4 KiB, 3 of 5 parts, 3 peers, 2 with metadata, 1 wrong"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	checking := Torrent{Status: &kouzui.Status{Name: "a", State: kouzui.StateChecking, CheckDone: 1, CheckTotal: 3}}
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
