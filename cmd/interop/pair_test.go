//go:build linux

package interop

import (
	"context"
	"testing"
	"time"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

// A pair may take long: Transmission alone waits 15 s for its timers, and
// kouzui may be built with the race detector on a busy machine.
const transferTimeout = 45 * time.Second

// nobody is the URL of a tracker that does not run: rtorrent refuses torrents
// without a tracker, and the others ignore that one.
const nobody = "http://127.0.0.1:1/announce"

type kind struct {
	name        string
	pieceLength int64
	files       []metainfo.FileSpec
	odd         bool
	dialled     bool // kouzui is dialled, by those that dial
	padded      bool // has padding files (BEP 47)
	superSeed   bool // the seed super-seeds (BEP 16), if it can
}

var folder = []metainfo.FileSpec{
	{Path: []string{"a.bin"}, Length: 3<<20 + 5},
	{Path: []string{"empty"}},
	{Path: []string{"dir", "one"}, Length: 1},
	{Path: []string{"dir", "größe", "日本 🎉.bin"}, Length: 4 << 20},
	{Path: []string{"dir", "two"}, Length: 70_001},
}

var padded = []metainfo.FileSpec{
	{Path: []string{"a.bin"}, Length: 2<<20 + 5},
	{Padding: true, Path: []string{".pad", "1"}, Length: 256<<10 - 5},
	{Path: []string{"b.bin"}, Length: 1},
	{Padding: true, Path: []string{".pad", "2"}, Length: 256<<10 - 1},
	{Path: []string{"c.bin"}, Length: 70_001},
}

var kinds = []kind{
	{name: "file", pieceLength: 256 << 10, files: []metainfo.FileSpec{{Length: 12<<20 + 1}}},
	{name: "folder", pieceLength: 64 << 10, files: folder, dialled: true},
	{name: "odd pieces", pieceLength: 250_001, files: folder, odd: true},
	{name: "padding", pieceLength: 256 << 10, files: padded, padded: true},
	{name: "super-seeding", pieceLength: 64 << 10, files: []metainfo.FileSpec{{Length: 3 << 20}}, superSeed: true},
}

func TestDownload(t *testing.T) {
	eachPair(t, func(t *testing.T, other counterpart.Client, k kind) { pair(t, "downloads", other, kouzui, other, k) })
}

func TestSeed(t *testing.T) {
	eachPair(t, func(t *testing.T, other counterpart.Client, k kind) { pair(t, "seeds", kouzui, other, other, k) })
}

func eachPair(t *testing.T, test func(*testing.T, counterpart.Client, kind)) {
	for _, other := range counterpart.Clients {
		for _, k := range kinds {
			if k.odd && other.EvenPieces || k.padded && !other.Pads {
				continue
			}
			t.Run(other.Name+"/"+k.name, func(t *testing.T) {
				t.Parallel()
				test(t, other, k)
			})
		}
	}
}

// pair lets leech download from seed, one of which is kouzui.
func pair(t *testing.T, direction string, seed, leech, other counterpart.Client, k kind) {
	version := installed(t, other.Version)
	ctx, cancel := context.WithTimeout(t.Context(), transferTimeout)
	defer cancel()
	dialler := kouzui
	if k.dialled && other.Dials {
		dialler = other
	}
	content, err := noise.New(t.TempDir(), "größe "+k.name, k.pieceLength, k.files, nobody)
	if err != nil {
		t.Fatal(err)
	}
	runs.begin(t, other.Name, version, direction, k.name, dialler.Name)

	from, to := seedTask(t, seed, content), newTask(t, leech, content)
	from.SuperSeed = k.superSeed
	var down *counterpart.Process
	if dialler.Name == leech.Name {
		start(t, ctx, seed, from)
		to.Peers = []string{from.Place.Peer()}
		down = start(t, ctx, leech, to)
	} else {
		down = start(t, ctx, leech, to)
		from.Peers = []string{to.Place.Peer()}
		start(t, ctx, seed, from)
	}
	fetches(t, ctx, down, leech, to.Dir, content)
}

// fetches waits until a client has downloaded the content to dir, and checks
// what is there. A kouzui is to end then.
func fetches(t *testing.T, ctx context.Context, p *counterpart.Process, client counterpart.Client, dir string, content *noise.Content) {
	t.Helper()
	if err := p.Complete(ctx); err != nil {
		t.Fatal(err)
	}
	if client.Name == kouzui.Name {
		ends(t, ctx, p)
	}
	if err := content.Verify(dir, client.LeavesOutEmpty); err != nil {
		t.Error(err)
	}
}

// ends checks that a kouzui whose download is complete says so and ends.
func ends(t *testing.T, ctx context.Context, p *counterpart.Process) {
	t.Helper()
	select {
	case <-p.Exited():
	case <-ctx.Done():
		t.Fatalf("kouzui is complete and does not end\n%s", p.LogTail())
	}
	if !p.Success() {
		t.Errorf("kouzui is complete and fails\n%s", p.LogTail())
	}
}
