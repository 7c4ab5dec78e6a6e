package store

import (
	"container/list"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// files is the torrent's data on disk: its folder, the lock on it, its names, and
// the open files (handles.go), shared by all who read and write. It is safe for
// concurrent use, and outlives its store while a link still reads from it.
//
// Locks nest in this order: a handle's, place, a sight's, mu.
type files struct {
	torrent *metainfo.Torrent
	limit   int
	stirred func()
	watch   watch

	// place guards base: held for reading while a name is opened, for writing
	// while the data takes another name.
	place sync.RWMutex
	base  string // the file, or the folder of the files, within folder

	mu       sync.Mutex
	folder   world.Folder
	unlock   func()
	handles  map[int]*handle
	recent   *list.List // of *handle, the one used last in front
	newNames map[string]bool
	closed   bool

	transfers sync.Pool
}

// newFiles opens nothing yet. doubted is called, from any goroutine, when a file
// turns out not to be what it was; at most once for each. stirred is, too, when
// there comes to be a file that is open.
func newFiles(t *metainfo.Torrent, limit int, doubted func(file int, err error), stirred func()) *files {
	f := &files{torrent: t, limit: limit, stirred: stirred, watch: watch{torrent: t, files: make([]sight, len(t.Files)), doubted: doubted}, handles: map[int]*handle{}, recent: list.New(), newNames: map[string]bool{}}
	f.transfers.New = func() any { return newTransfer(f) }
	return f
}

// attach hands over an open folder and its lock, the torrent with the names that
// it has there, and what was found. When the store has ended meanwhile they are
// let go at once.
func (f *files) attach(folder world.Folder, unlock func(), t *metainfo.Torrent, base string, stamps []messages.Stamp) error {
	f.place.Lock()
	defer f.place.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		unlock()
		folder.Close()
		return fs.ErrClosed
	}
	f.folder, f.unlock, f.base = folder, unlock, base
	f.torrent, f.watch.torrent = t, t
	for i, s := range stamps {
		f.watch.files[i].stamp = s
	}
	return nil
}

// name is the path of a file within the folder. place is held.
func (f *files) name(index int) string { return nameIn(f.torrent, f.base, index) }

func nameIn(t *metainfo.Torrent, base string, index int) string {
	if t.Single {
		return base
	}
	return base + "/" + strings.Join(t.Files[index].Path, "/")
}

// at is the name of the data.
func (f *files) at() string {
	f.place.RLock()
	defer f.place.RUnlock()
	return f.base
}

// named is a file by its name.
type named struct {
	files *files
	index int
}

// Stamp needs place to be held.
func (n named) Stamp() (messages.Stamp, error) {
	info, err := n.files.folder.Stat(n.files.name(n.index))
	if errors.Is(err, fs.ErrNotExist) {
		return absent, nil
	}
	return info.Stamp, err
}

// stamp is how a file looks, if under its name is still what was known to be.
func (f *files) stamp(index int) (messages.Stamp, error) {
	f.place.RLock()
	defer f.place.RUnlock()
	err := f.watch.look(index, named{f, index})
	return f.watch.stamp(index), err
}

// relocate gives the data the name base. Files that are not in use are closed
// before, as some systems rename no open ones; where one is still in use there,
// the rename fails and is tried again later.
func (f *files) relocate(base string) error {
	f.place.Lock()
	defer f.place.Unlock()
	f.mu.Lock()
	idle := f.forgetIdle()
	f.mu.Unlock()
	closeAll(idle)
	rename := func() error {
		err := f.folder.Rename(f.base, base)
		if err == nil {
			f.rebase(base)
		}
		return err
	}
	if f.torrent.Single {
		return f.watch.renaming(0, named{f, 0}, rename)
	}
	return rename()
}

// rebase enters that the data is at base now.
func (f *files) rebase(base string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := map[string]bool{".": true}
	for dir := range f.newNames {
		if below, ok := strings.CutPrefix(dir, f.base); ok {
			names[base+below] = true
		}
	}
	f.newNames, f.base = names, base
}

// syncNames makes the names that were created since the last call last.
func (f *files) syncNames() error {
	f.mu.Lock()
	names := f.newNames
	f.newNames = map[string]bool{}
	f.mu.Unlock()
	for _, dir := range slices.Sorted(maps.Keys(names)) {
		if err := f.folder.Sync(dir); err != nil {
			f.mu.Lock()
			for dir := range names {
				f.newNames[dir] = true
			}
			f.mu.Unlock()
			return err
		}
	}
	return nil
}

// close closes every file as soon as nobody uses it, and then gives up the lock.
func (f *files) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.closed = true
	closeAll(f.forgetIdle())
	if f.folder != nil {
		f.unlock()
		f.folder.Close()
	}
}
