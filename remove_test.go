package kouzui_test

import (
	"crypto/sha1"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kouzui"
	"kouzui/wire/metainfo"
)

// album is a torrent of some files in folders, and a link in one of its own.
func album(t testing.TB) (m *kouzui.Metainfo, files map[string][]byte) {
	t.Helper()
	files = map[string][]byte{"album/1.mp3": make([]byte, 40_000), "album/scans/front.jpg": make([]byte, 7_000), "album/empty": {}}
	spec := metainfo.Spec{Name: "album", PieceLength: 16 << 10}
	var all []byte
	for i, path := range [][]string{{"1.mp3"}, {"scans", "front.jpg"}, {"empty"}} {
		data := files[filepath.Join(append([]string{"album"}, path...)...)]
		for j := range data {
			data[j] = byte(i + j)
		}
		all = append(all, data...)
		spec.Files = append(spec.Files, metainfo.FileSpec{Path: path, Length: int64(len(data))})
	}
	spec.Files = append(spec.Files, metainfo.FileSpec{Path: []string{"links", "cover.jpg"}, Link: []string{"scans", "front.jpg"}})
	for piece := range slices.Chunk(all, 16<<10) {
		sum := sha1.Sum(piece)
		spec.Pieces = append(spec.Pieces, sum[:]...)
	}
	raw, err := metainfo.Encode(spec)
	if err == nil {
		m, err = kouzui.Parse(raw)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m, files
}

// tree lists what lies in a folder.
func tree(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if path != dir {
			name, _ := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// downloading returns a torrent that a client downloads to dir, from nobody.
func downloading(t testing.TB, m *kouzui.Metainfo, dir string) *kouzui.Torrent {
	t.Helper()
	torrent, err := open(t, kouzui.Config{Dir: dir}).AddMetainfo(m, kouzui.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for event := range torrent.Events(t.Context()) {
		if p, is := event.(kouzui.Progress); is && p.Status.State == kouzui.StateDownloading {
			break
		}
	}
	return torrent
}

func TestRemove(t *testing.T) {
	m, files := album(t)
	seedDir := t.TempDir()
	for name, data := range files {
		write(t, filepath.Join(seedDir, name), data)
	}
	seeder := open(t, kouzui.Config{Dir: seedDir})
	if _, err := seeder.AddMetainfo(m, kouzui.Options{Seed: true, MustExist: true}); err != nil {
		t.Fatal(err)
	}
	addr, err := seeder.Addr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := []string{".album.kouzui", "album", "album/1.mp3", "album/empty", "album/links", "album/links/cover.jpg", "album/scans", "album/scans/front.jpg"}
	for name, tc := range map[string]struct {
		extra string // a file of the user's that lies there too
		data  bool
		want  []string
	}{
		"without data":             {"", false, all},
		"with data":                {"", true, nil},
		"beside a file":            {"other", true, []string{"other"}},
		"beside a partial name":    {"album.part/1.mp3", true, []string{"album.part", "album.part/1.mp3"}},
		"with a file in a folder":  {"album/scans/back.jpg", true, []string{"album", "album/scans", "album/scans/back.jpg"}},
		"with a file in its place": {"album/note.txt", true, []string{"album", "album/note.txt"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			client := open(t, kouzui.Config{Dir: dir})
			torrent, err := client.AddMetainfo(m, kouzui.Options{Peers: []netip.AddrPort{addr}})
			if err != nil {
				t.Fatal(err)
			}
			if err := torrent.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if tc.extra != "" {
				write(t, filepath.Join(dir, tc.extra), []byte("mine"))
			}
			if err := torrent.Remove(t.Context(), tc.data); err != nil {
				t.Error(err)
			}
			if err := client.Close(t.Context()); err != nil { // lets go of the lock
				t.Error(err)
			}
			if got := tree(t, dir); !slices.Equal(got, tc.want) {
				t.Errorf("%q are left, want %q", got, tc.want)
			}
		})
	}
}

// An unfinished download lies under another name.
func TestRemoveWhatIsUnfinished(t *testing.T) {
	m, _ := album(t)
	dir := t.TempDir()
	torrent := downloading(t, m, dir)
	if err := torrent.Remove(t.Context(), true); err != nil {
		t.Error(err)
	}
	if got := tree(t, dir); len(got) > 0 {
		t.Errorf("%q are left", got)
	}
}

// Of two names one is a stranger's, and the torrent is not complete: both stay.
func TestRemoveWhatCannotBeToldApart(t *testing.T) {
	m, files := album(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "album.part/1.mp3"), files["album/1.mp3"])
	torrent := downloading(t, m, dir)
	write(t, filepath.Join(dir, "album/1.mp3"), []byte("mine"))
	if err := torrent.Remove(t.Context(), true); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	for name, want := range map[string]string{"album/1.mp3": "mine", "album.part/1.mp3": string(files["album/1.mp3"])} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %d bytes, %v", name, len(got), err)
		}
	}
}

// Nothing has come yet, and a stranger's file takes the name meanwhile.
func TestRemoveLeavesWhatTookTheName(t *testing.T) {
	m, _ := album(t)
	dir := t.TempDir()
	torrent := downloading(t, m, dir)
	write(t, filepath.Join(dir, "album/1.mp3"), []byte("mine"))
	if err := torrent.Remove(t.Context(), true); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "album/1.mp3")); err != nil || string(got) != "mine" {
		t.Errorf("the file holds %q, %v", got, err)
	}
}

// What has the names of the torrent's files, but is not its data, stays.
func TestRemoveLeavesWhatIsForeign(t *testing.T) {
	m, files := album(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "album/1.mp3"), []byte("another album"))
	client := open(t, kouzui.Config{Dir: dir})
	torrent, err := client.AddMetainfo(m, kouzui.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := torrent.Wait(t.Context()); err == nil {
		t.Error("foreign data is taken for the torrent's")
	}
	if err := torrent.Remove(t.Context(), true); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "album/1.mp3")); err != nil || string(got) != "another album" {
		t.Errorf("there is %q, %v", got, err)
	}

	// A link in the place of a file stays, and so does what it leads to.
	dir = t.TempDir()
	for name, data := range files {
		write(t, filepath.Join(dir, name), data)
	}
	client = open(t, kouzui.Config{Dir: dir})
	if torrent, err = client.AddMetainfo(m, kouzui.Options{MustExist: true}); err != nil {
		t.Fatal(err)
	}
	if err := torrent.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "mine"), []byte("mine"))
	path := filepath.Join(dir, "album", "1.mp3")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../mine", path); err != nil {
		t.Skip(err)
	}
	if err := torrent.Remove(t.Context(), true); err != nil {
		t.Error(err)
	}
	if got := tree(t, dir); !slices.Equal(got, []string{"album", "album/1.mp3", "mine"}) {
		t.Errorf("%q are left", got)
	}
}

// Only its hash was known, and it has been added once more since.
func TestRemoveWhatWasAddedAgain(t *testing.T) {
	client := open(t, kouzui.Config{})
	first, err := client.AddHash(kouzui.Hash{1}, kouzui.Options{})
	if err == nil {
		err = first.Stop(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.AddHash(kouzui.Hash{1}, kouzui.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := first.Remove(t.Context(), true); !errors.Is(err, kouzui.ErrAdded) {
		t.Errorf("removing ends with %v", err)
	}
}
