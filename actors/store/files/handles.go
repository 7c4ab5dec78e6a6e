package files

import (
	"container/list"
	"errors"
	"io/fs"
	"path"
	"sync"

	"kouzui/actors/world"
)

// MaxOpen is how many files of one torrent are kept open for their next use. A
// process may have 1024 open by default, and a torrent seldom needs more than a
// few at a time.
const MaxOpen = 128

// handle is one file that is open, or about to be.
type handle struct {
	mu       sync.Mutex // held while it is being opened
	file     world.File
	writable bool
	// outgrown are the same file, opened for reading only before it had to be
	// written to. Some may still be in use until refs is 0.
	outgrown []world.File

	index int
	// Guarded by Files.mu:
	refs   int
	unused bool // since the last Rest
	at     *list.Element
}

// Use is what a file is needed for.
type Use uint8

const (
	Serve  Use = iota // reading what is verified, to be sent to a peer
	Reread            // reading what this store has written, to be hashed
	Check             // reading what an earlier run has left, to be hashed
	Write
)

// acquire opens a file, or finds it open. For Write it creates the file if
// there is none, and gives it its full length. The caller uses the file until
// it releases the handle.
func (f *Files) acquire(index int, to Use) (*handle, world.File, error) {
	h, err := f.hold(index)
	if err != nil {
		return nil, nil, err
	}
	file, err := f.opened(h, to)
	if err != nil {
		f.release(h)
		return nil, nil, err
	}
	return h, file, nil
}

func (f *Files) hold(index int) (*handle, error) {
	f.mu.Lock()
	if f.closed || f.folder == nil {
		f.mu.Unlock()
		return nil, fs.ErrClosed
	}
	h := f.handles[index]
	first := len(f.handles) == 0
	if h == nil {
		h = &handle{index: index}
		h.at = f.recent.PushFront(h)
		f.handles[index] = h
	}
	h.refs++
	h.unused = false
	f.recent.MoveToFront(h.at)
	idle := f.surplus()
	f.mu.Unlock()
	closeAll(idle)
	if first {
		f.opening()
	}
	return h, nil
}

func (f *Files) opened(h *handle, to Use) (world.File, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	write := to == Write
	if h.file != nil && (h.writable || !write) {
		return h.file, nil
	}
	file, err := f.open(h.index, to)
	if errors.Is(err, world.ErrTooManyFiles) {
		f.mu.Lock()
		idle := f.forgetIdle()
		f.mu.Unlock()
		closeAll(idle)
		file, err = f.open(h.index, to)
	}
	if err != nil {
		return nil, err
	}
	if h.file != nil {
		h.outgrown = append(h.outgrown, h.file)
	}
	h.file, h.writable = file, write
	return file, nil
}

func (f *Files) open(index int, to Use) (world.File, error) {
	f.place.RLock()
	defer f.place.RUnlock()
	if to == Write {
		if err := f.claimed(); err != nil {
			return nil, err
		}
	}
	file, err := f.folder.Open(f.name(index), to == Write)
	switch {
	case to == Check:
		return file, err
	case to == Write && errors.Is(err, fs.ErrNotExist) && f.watch.stamp(index) == Absent:
		file, err = f.create(index)
	case err != nil:
		// Perhaps another file has the name now, or none.
		if changed := f.watch.look(index, named{f, index}); changed != nil {
			err = changed
		}
	default:
		if err = f.watch.look(index, file); err != nil {
			file.Close()
		}
	}
	if err == nil && to == Write {
		if err = f.extend(index, file); err != nil {
			file.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	return file, nil
}

// extend gives a file its full length. The side file grows as it is written to.
func (f *Files) extend(index int, file world.File) error {
	if index == len(f.torrent.Files) {
		return nil
	}
	if err := f.watch.begin(index, file); err != nil {
		return err
	}
	defer f.watch.end(index, file)
	return file.Extend(f.torrent.Files[index].Length)
}

func (f *Files) create(index int) (world.File, error) {
	name := f.name(index)
	dir := path.Dir(name)
	if err := f.folder.MkdirAll(dir); err != nil {
		return nil, err
	}
	file, err := f.folder.Create(name)
	if err != nil {
		return nil, err
	}
	if err := f.watch.created(index, file); err != nil {
		file.Close()
		return nil, err
	}
	f.noteNames(dir)
	return file, nil
}

// noteNames notes that a name was created in dir, and perhaps the folders
// above.
func (f *Files) noteNames(dir string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.newNames[dir] = true; dir != "."; f.newNames[dir] = true {
		dir = path.Dir(dir)
	}
}

func (f *Files) release(h *handle) {
	f.mu.Lock()
	h.refs--
	var idle []world.File
	if h.refs == 0 {
		idle, h.outgrown = h.outgrown, nil
		if f.closed || h.file == nil {
			idle = append(idle, f.forget(h)...)
		}
		idle = append(idle, f.surplus()...)
	}
	f.mu.Unlock()
	closeAll(idle)
}

// surplus forgets the idle files that were used longest ago, as many as exceed
// the limit, and returns them to be closed. mu is held.
func (f *Files) surplus() (idle []world.File) {
	for e := f.recent.Back(); e != nil && len(f.handles) > f.limit; {
		h := e.Value.(*handle)
		e = e.Prev()
		if h.refs == 0 {
			idle = append(idle, f.forget(h)...)
		}
	}
	return idle
}

// forget removes an idle handle and returns what has to be closed. mu is held.
func (f *Files) forget(h *handle) []world.File {
	delete(f.handles, h.index)
	f.recent.Remove(h.at)
	if h.file == nil {
		return nil
	}
	return append(h.outgrown, h.file)
}

// forgetIdle removes all idle handles and returns what has to be closed. mu is
// held.
func (f *Files) forgetIdle() (idle []world.File) {
	for _, h := range f.handles {
		if h.refs == 0 {
			idle = append(idle, f.forget(h)...)
		}
	}
	return idle
}

// Rest closes the files that have not been used since the last call, and tells
// whether others are open.
func (f *Files) Rest() (open bool) {
	f.mu.Lock()
	var idle []world.File
	for _, h := range f.handles {
		switch {
		case h.refs > 0:
		case h.unused:
			idle = append(idle, f.forget(h)...)
		default:
			h.unused = true
		}
	}
	open = len(f.handles) > 0
	f.mu.Unlock()
	closeAll(idle)
	return open
}

func closeAll(idle []world.File) {
	for _, file := range idle {
		file.Close()
	}
}

// Make creates a file in its full length if it does not exist.
func (f *Files) Make(index int) error {
	h, _, err := f.acquire(index, Write)
	if err == nil {
		f.release(h)
	}
	return err
}

// Sync makes what was written to a file last, and calls done, perhaps later.
// For other uses than Write it opens the file for reading only; that some
// systems refuse to sync such a file is no error.
func (f *Files) Sync(index int, to Use, done func(error)) {
	answer := func(err error) {
		if to != Write && errors.Is(err, fs.ErrPermission) {
			err = nil
		}
		done(err)
	}
	h, file, err := f.acquire(index, to)
	if err != nil {
		answer(err)
		return
	}
	file.Sync(func(err error) {
		f.release(h)
		answer(err)
	})
}
