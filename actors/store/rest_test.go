package store

import (
	"errors"
	"testing"

	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
)

// countingDisk has folders that count which files are open.
type countingDisk struct {
	world.Disk
	folder *storetest.CountingFolder
}

func (d *countingDisk) OpenFolder(dir string) (world.Folder, error) {
	plain, err := d.Disk.OpenFolder(dir)
	d.folder = &storetest.CountingFolder{Folder: plain}
	return d.folder, err
}

// Files that have not been used for a while are closed, and opened again for
// the next read. The lock on the folder stays. While no file is open no timer
// runs.
func TestFilesRest(t *testing.T) {
	w := newWorld()
	disk := &countingDisk{Disk: w.Disk}
	s := storetest.New(t, 1000, 5000, 3000, 2000)
	place(t, s, w.Disk, "/d", "data", nil)
	counted := w.World()
	counted.Disk = disk
	r := begun(t, counted, s)
	rest := func() int {
		w.Clock.Advance(restEvery)
		if err := r.flush(); err != nil { // behind what the keeper does
			t.Fatal(err)
		}
		return int(disk.folder.Files.Load())
	}
	w.Clock.AwaitTimer(restEvery)
	for range 2 {
		if n := rest(); n != 3 {
			t.Errorf("%d files are open that were in use just now, not 3", n)
		}
		r.wantContent(s.Blocks(0)...)
		if n := rest(); n != 1 {
			t.Errorf("%d files are open, not the one that was used", n)
		}
		if n := rest(); n != 0 {
			t.Errorf("%d files are open that nobody uses", n)
		}
		if n := w.Clock.Pending(); n != 0 {
			t.Errorf("%d timers run with no file open", n)
		}
		if _, err := disk.folder.Lock(s.Torrent.LockName()); !errors.Is(err, world.ErrLocked) {
			t.Errorf("the lock is gone with the files: %v", err)
		}
		for i := range s.PieceCount() {
			r.wantContent(s.Blocks(i)...)
		}
		w.Clock.AwaitTimer(restEvery)
	}
}
