package actors_test

import (
	"bytes"
	"crypto/sha1"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kouzui/actors"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// Of a torrent with padding, the rest is fetched, from a seed and from a leech
// that has no file for the padding either; the tracker hears of the pieces that
// are not padding alone.
func TestPaddingIsNotFetched(t *testing.T) {
	noFilesLeft(t)
	const block, pieceLength = 16 << 10, 64 << 10
	spec := metainfo.Spec{Name: "data", PieceLength: pieceLength}
	var data []byte
	source := rand.NewChaCha8([32]byte{2})
	from, rest := t.TempDir(), int64(0)
	for i, length := range []int64{300, -(pieceLength - 300), 5 * block, -(3*block + 10*pieceLength), 40 * block} {
		part := make([]byte, max(length, -length))
		f := metainfo.FileSpec{Path: []string{string(rune('a' + i))}, Length: int64(len(part)), Padding: length < 0}
		if !f.Padding {
			_, _ = source.Read(part) // never fails
			if err := os.MkdirAll(filepath.Join(from, "data"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(from, "data", f.Path[0]), part, 0o644); err != nil {
				t.Fatal(err)
			}
			rest += (length + block - 1) / block * block
		}
		spec.Files, data = append(spec.Files, f), append(data, part...)
	}
	for part := range slices.Chunk(data, pieceLength) {
		sum := sha1.Sum(part)
		spec.Pieces = append(spec.Pieces, sum[:]...)
	}
	raw, err := metainfo.Encode(spec)
	if err != nil {
		t.Fatal(err)
	}
	torrent, err := metainfo.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}

	seeder := start(t, actors.Options{Listen: "127.0.0.1:0"})
	addr := await(seeder, func(*messages.ListenerReady) bool { return true }).Addr
	seeder.add(torrent, messages.TorrentOptions{Dir: from, MustExist: true, Seed: true})
	await(seeder, seeding)
	tracker := newListeningTracker(t, addr)
	announced := *torrent
	announced.Announce = [][]string{{tracker.url}}

	first := start(t, actors.Options{Listen: "127.0.0.1:0"})
	addr = await(first, func(*messages.ListenerReady) bool { return true }).Addr
	dir := t.TempDir()
	first.add(&announced, messages.TorrentOptions{Dir: dir, Seed: true})
	complete := await(first, func(*messages.TorrentCompleted) bool { return true })
	fetched(t, complete.Last, rest, dir, data, torrent)
	const lacking = 3 + 10 // pieces that are not padding alone
	if heard := tracker.heard(); heard[0].Event != announce.Started || heard[0].Left != lacking*pieceLength {
		t.Errorf("the tracker hears %+v", heard[0])
	}

	second, dir := start(t, actors.Options{}), t.TempDir()
	second.add(torrent, messages.TorrentOptions{Dir: dir, Peers: []netip.AddrPort{addr}})
	done := await(second, func(*messages.TorrentDone) bool { return true })
	fetched(t, done.Last, rest, dir, data, torrent)
}

func fetched(t *testing.T, last messages.Progress, rest int64, dir string, data []byte, torrent *metainfo.Torrent) {
	t.Helper()
	if last.Downloaded > rest || last.Left != 0 || last.Have != torrent.Length {
		t.Errorf("fetched are %d bytes of %d, %d left, %d there", last.Downloaded, rest, last.Left, last.Have)
	}
	var names []string
	for _, f := range torrent.Files {
		if f.Padding {
			continue
		}
		names = append(names, f.Path[0])
		got, err := os.ReadFile(filepath.Join(dir, torrent.Name, f.Path[0]))
		if err != nil || !bytes.Equal(got, data[f.Offset:f.Offset+f.Length]) {
			t.Errorf("%s is wrong: %v", f.Path[0], err)
		}
	}
	there, err := os.ReadDir(filepath.Join(dir, torrent.Name))
	if err != nil || len(there) != len(names) || slices.ContainsFunc(there, func(e os.DirEntry) bool { return !slices.Contains(names, e.Name()) }) {
		t.Errorf("there is %v: %v", there, err)
	}
}
