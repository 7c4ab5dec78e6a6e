package store

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"kouzui/actors/store/files"
	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/buffer"
)

// The file that is changed holds pieces 2 to 5 of 8.
const changedFrom, changedTo = 2, 6

// changes are what another program may do to that file, and the pieces that are
// wrong or missing then.
var changes = map[string]struct {
	do   func(t *testing.T, path string)
	lost []int
}{
	"a byte": {spoilByte, []int{3}},
	"a byte, and the time is set back": {func(t *testing.T, path string) {
		info, err := os.Stat(path)
		ok(t, err)
		spoilByte(t, path)
		ok(t, os.Chtimes(path, time.Time{}, info.ModTime()))
	}, []int{3}},
	"cut short": {func(t *testing.T, path string) { ok(t, os.Truncate(path, 130_000)) }, []int{4, 5}},
	"deleted":   {func(t *testing.T, path string) { ok(t, os.Remove(path)) }, []int{2, 3, 4, 5}},
	"replaced": {func(t *testing.T, path string) {
		ok(t, os.WriteFile(path+".new", make([]byte, 200_000), 0o600))
		ok(t, os.Rename(path+".new", path))
	}, []int{2, 3, 4, 5}},
	"replaced by a link": {func(t *testing.T, path string) {
		ok(t, os.Rename(path, path+".old"))
		ok(t, os.Symlink(path+".old", path))
	}, nil},
	"nothing but the mode": {func(t *testing.T, path string) { ok(t, os.Chmod(path, 0o600)) }, nil},
}

func spoilByte(t *testing.T, path string) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	ok(t, err)
	_, err = f.WriteAt([]byte{0}, 60_000)
	ok(t, errors.Join(err, f.Close()))
}

// TestChangedBehindOurBack changes a file on a real disk that a store has open.
// However the store comes to notice, it serves nothing of the file from then
// on, and the next store finds out what is still right.
func TestChangedBehindOurBack(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files that are open cannot be changed like this")
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) { changedBehindOurBack(t, change.do, change.lost, nil, func(*rig) {}) })
	}
	for name, notice := range map[string]struct {
		lacking []int // before the change
		by      func(r *rig)
	}{
		"by serving": {[]int{7}, func(*rig) {}},
		"by writing": {[]int{5, 7}, func(r *rig) { r.send(1, nil, r.Blocks(5)...) }},
		"by saving":  {[]int{7}, func(r *rig) { r.tell(&messages.Flush{ReplyTo: r.scheduler}) }},
	} {
		t.Run(name, func(t *testing.T) { changedBehindOurBack(t, spoilByte, []int{3}, notice.lacking, notice.by) })
	}
}

func changedBehindOurBack(t *testing.T, change func(*testing.T, string), lost, lacking []int, notice func(*rig)) {
	noLeaks(t)
	w := real.New(real.Options{Pool: buffer.NewPool(0)})
	s := storetest.New(t, 50_000, 100_000, 200_000, 100_000)
	dir := t.TempDir()
	r := newRig(t, w, s, dir)
	await[*messages.StoreReady](r)
	base := "data"
	if lacking != nil {
		base += ".part"
	}
	left := map[int]bool{}
	for i := range s.PieceCount() {
		left[i] = true
	}
	for _, i := range lacking {
		left[i] = false
	}
	for i, sent := range left {
		if sent {
			r.send(1, nil, s.Blocks(i)...)
		}
	}
	for _, sent := range left {
		if sent {
			await[*messages.PieceVerified](r)
		}
	}
	if lacking == nil {
		await[*messages.StoreFinished](r)
	}
	r.wantContent(s.Blocks(3)...)
	source := r.servable(3).Source

	path := filepath.Join(dir, base, "dir1", "file1")
	if _, err := os.Lstat(path); err != nil {
		t.Fatal(err)
	}
	change(t, path)
	notice(r)
	read := func(piece int) (err error) {
		source.ReadBlocks([][]byte{make([]byte, 100)}, int64(piece)*s.PieceLength, func(e error) { err = e })
		return err
	}
	if _, err := source.(messages.SocketSource).SendTo(0, 3*s.PieceLength, 1); !errors.Is(err, files.ErrChanged) {
		t.Errorf("what was changed is sent: %v", err)
	}
	for range 2 {
		if err := read(3); !errors.Is(err, files.ErrChanged) {
			t.Errorf("what was changed is served: %v", err)
		}
	}
	if err := read(0); err != nil {
		t.Errorf("what was not changed is not served: %v", err)
	}
	stale := awaitTorrent[*messages.DataChanged](r).Stale
	r.stop()
	r.wantNoBlocks()
	for i := range s.PieceCount() {
		if known := i < changedFrom || i >= changedTo; stale.Known.Test(uint(i)) != known {
			t.Errorf("piece %d is known: %v", i, !known)
		}
	}

	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		ok(t, os.Remove(path)) // which the user would have to
		ok(t, os.Rename(path+".old", path))
	}
	again := newRigAfter(t, &stale, w, s, dir)
	ready := await[*messages.StoreReady](again)
	for _, i := range lost {
		left[i] = false
	}
	for i, right := range left {
		if ready.Have.Test(uint(i)) != right {
			t.Errorf("piece %d is there: %v", i, !right)
		}
	}
	if again.sendAll(); ready.Have.Count() < uint(s.PieceCount()) {
		await[*messages.StoreFinished](again)
	}
	again.want(w.Disk, dir, "data")
	again.wantContent(s.Blocks(3)...)
}

func awaitTorrent[T any](r *rig) T {
	for m := range r.torrent {
		if want, ok := m.(T); ok {
			return want
		}
	}
	panic("unreachable")
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A disk that changes the times of its files by itself is not doubted for ever.
func TestUnfoundedDoubtsEnd(t *testing.T) {
	w := newWorld()
	s := storetest.New(t, 50_000, 100_000)
	place(t, s, w.Disk, "/d", "data", nil)
	known := &messages.PiecesKnown{}
	restless := &world.World{Clock: w.Clock, Chance: w.World().Chance, Disk: restlessDisk{w.Disk}, Digest: world.SHA1{}}
	for doubts := 1; ; doubts++ {
		r := newRigAfter(t, known, restless, s, "/d")
		await[*messages.StoreReady](r)
		err := make(chan error, 1)
		r.servable(0).Source.ReadBlocks([][]byte{make([]byte, 10)}, 0, func(e error) { err <- e })
		if <-err == nil {
			if doubts != files.MaxDoubts+2 {
				t.Errorf("served after %d doubts", doubts-1)
			}
			return
		}
		known = &awaitTorrent[*messages.DataChanged](r).Stale
		known.Doubts = doubts
		r.stop()
	}
}

// restlessDisk tells another time of modification whenever it is asked.
type (
	restlessDisk   struct{ world.Disk }
	restlessFolder struct{ world.Folder }
	restlessFile   struct{ world.File }
)

func (d restlessDisk) OpenFolder(dir string) (world.Folder, error) {
	f, err := d.Disk.OpenFolder(dir)
	return restlessFolder{f}, err
}

func (f restlessFolder) Open(name string, write bool) (world.File, error) {
	file, err := f.Folder.Open(name, write)
	return restlessFile{file}, err
}

func (f restlessFile) Stamp() (messages.Stamp, error) {
	s, err := f.File.Stamp()
	s.Modified += time.Hour.Nanoseconds()
	return s, err
}
