// Package files is the data of one torrent on disk: the folder and the lock on
// it, the names of the files, and those that are open. All actors that read or
// write the data share one Files.
//
// Files reads and writes stretches of the content, whichever files they lie in
// (transfer.go), keeps a bounded number of files open (handles.go), and notices
// when another process changes one (watch.go).
package files

import (
	"container/list"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// Absent is the stamp of a file that does not exist.
var Absent = messages.Stamp{Size: -1}

// Files is the data of one torrent on disk. It is safe for concurrent use, and
// outlives its store while a link still reads from it. It is also the
// messages.BlockSource of those pieces that PiecesServable has named.
//
// Locks nest in this order: handle.mu, Files.place, sight.mu, Files.mu.
type Files struct {
	torrent *metainfo.Torrent
	limit   int // of files that are kept open
	opening func()
	watch   watch
	layout  atomic.Pointer[Layout]

	// place guards base: held for reading while a name is opened, for writing
	// while the data takes another name.
	place sync.RWMutex
	base  string // name within folder: of the file, or of the folder of the files

	mu       sync.Mutex
	folder   world.Folder
	unlock   func()
	handles  map[int]*handle // by index of the file
	recent   *list.List      // of *handle, the last used in front
	newNames map[string]bool // folders with names in them that are not synced
	closed   bool

	// journal guards claim, the journal that is to be written before anything else
	// is: data without one may be anybody's. nil: there is a journal.
	journal sync.Mutex
	claim   []byte

	transfers sync.Pool
}

// New opens nothing yet. Files calls doubted when another process seems to have
// changed a file, once for each file, and opening when it opens a file while no
// other is open. Both are called from any goroutine.
func New(t *metainfo.Torrent, limit int, doubted func(file int, err error), opening func()) *Files {
	f := &Files{
		torrent: t, limit: limit, opening: opening, handles: map[int]*handle{}, recent: list.New(), newNames: map[string]bool{},
		watch: watch{torrent: t, files: make([]sight, len(t.Files)+1), doubted: doubted},
	}
	f.layout.Store(NewLayout(t))
	f.watch.files[f.Layout().Side()].stamp = Absent
	f.transfers.New = func() any { return newTransfer(f) }
	return f
}

// Attach hands over an open folder and its lock, the torrent with the names
// that its files have in this folder, the name of the data, the layout, and how
// each file looks, the side file last. After Close it lets the folder go at
// once and returns fs.ErrClosed.
func (f *Files) Attach(folder world.Folder, unlock func(), t *metainfo.Torrent, base string, layout *Layout, stamps []messages.Stamp) error {
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
	f.layout.Store(layout)
	for i, s := range stamps {
		f.watch.files[i].stamp = s
	}
	return nil
}

// name is the path of a file within the folder. place is held.
func (f *Files) name(index int) string { return NameIn(f.torrent, f.base, index) }

// NameIn is the path of a file within the folder, if base is the name of the
// data: one of the torrent, or the side file.
func NameIn(t *metainfo.Torrent, base string, index int) string {
	switch {
	case index == len(t.Files):
		return t.SideName()
	case t.Single:
		return base
	}
	return base + "/" + strings.Join(t.Files[index].Path, "/")
}

// Base is the name of the data.
func (f *Files) Base() string {
	f.place.RLock()
	defer f.place.RUnlock()
	return f.base
}

// Layout is how the content lies in the files.
func (f *Files) Layout() *Layout { return f.layout.Load() }

// SetLayout changes the layout. It is called while nothing is written. What the
// side file has of files that are no longer diverted stays there, so that reads
// under way find it.
func (f *Files) SetLayout(l *Layout) { f.layout.Store(l) }

// named is a file by its name, whether it is open or not.
type named struct {
	files *Files
	index int
}

// Stamp needs place to be held.
func (n named) Stamp() (messages.Stamp, error) {
	info, err := n.files.folder.Stat(n.files.name(n.index))
	if errors.Is(err, fs.ErrNotExist) {
		return Absent, nil
	}
	return info.Stamp, err
}

// Stamp is how a file looks. It is an error if another file has its name, or if
// another process has changed it.
func (f *Files) Stamp(index int) (messages.Stamp, error) {
	f.place.RLock()
	defer f.place.RUnlock()
	err := f.watch.look(index, named{f, index})
	return f.watch.stamp(index), err
}

// Stamps are how all files looked when their content was last known, the side
// file last.
func (f *Files) Stamps() []messages.Stamp { return f.watch.stamps() }

// SetDoubts tells how often in a row this torrent's data was thought to be
// changed by another process and was not. It is called before anything is read
// or written.
func (f *Files) SetDoubts(n int) { f.watch.loosely = n > MaxDoubts }

// Absent tells whether a file does not exist.
func (f *Files) Absent(index int) bool { return f.watch.stamp(index) == Absent }

// DropSide removes the side file, if there is one and no file is diverted.
func (f *Files) DropSide() error {
	layout := f.Layout()
	side := layout.Side()
	if layout.Divides() || f.Absent(side) {
		return nil
	}
	f.mu.Lock()
	idle := f.forgetIdle()
	f.mu.Unlock()
	closeAll(idle)
	f.place.RLock()
	defer f.place.RUnlock()
	return f.watch.removing(side, named{f, side}, func() error { return f.folder.Remove(f.name(side)) })
}

// Same tells whether two stamps are those of the same file with the same
// content.
func (f *Files) Same(a, b messages.Stamp) bool { return f.watch.same(a, b) }

// Rename gives the data the name base. It closes the files that are not in use
// before, as some systems rename no open ones; while one is in use there, the
// rename fails.
func (f *Files) Rename(base string) error {
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
	if !slices.ContainsFunc(f.torrent.Files, func(file metainfo.File) bool { return !file.Padding }) {
		if err := f.folder.MkdirAll(f.base); err != nil { // no file has made it
			return err
		}
	}
	return rename()
}

// rebase notes that the name of the data is base now.
func (f *Files) rebase(base string) {
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

// SyncNames syncs the folders in which names were created since the last call.
func (f *Files) SyncNames() error {
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

// SetClaim gives the journal that is to be written before the first file is
// created or written to. It is called before Attach.
func (f *Files) SetClaim(raw []byte) { f.claim = raw }

// claimed writes the claim unless there is a journal.
func (f *Files) claimed() error {
	f.journal.Lock()
	defer f.journal.Unlock()
	if f.claim == nil {
		return nil
	}
	return f.replaceJournal(f.claim)
}

// WriteJournal replaces the journal that lies beside the data.
func (f *Files) WriteJournal(raw []byte) error {
	f.journal.Lock()
	defer f.journal.Unlock()
	return f.replaceJournal(raw)
}

// replaceJournal needs journal to be held.
func (f *Files) replaceJournal(raw []byte) error {
	err := f.folder.WriteFile(f.torrent.JournalName(), raw)
	if err == nil {
		f.claim = nil
	}
	return err
}

// Close closes every file as soon as it is not in use, and gives up the lock.
func (f *Files) Close() {
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
