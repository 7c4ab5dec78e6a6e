package store

import (
	"container/list"
	"errors"
	"io/fs"
	"path"
	"sync"

	"kouzui/actors/world"
)

// openFiles is how many files of one torrent are kept open for their next use.
const openFiles = 128

// handle is one file that is open, or about to be.
type handle struct {
	mu       sync.Mutex // held while it is being opened
	file     world.File
	writable bool
	outgrown []world.File // open for reading only, replaced, and perhaps in use until refs is 0

	index int
	// Guarded by files.mu:
	refs   int
	unused bool // since rest was called
	at     *list.Element
}

// use is what a file is wanted for.
type use uint8

const (
	toServe  use = iota // reading what is known, and will be sent
	toReread            // reading what was written, and will be hashed
	toCheck             // reading of what nothing is known
	toWrite
)

// acquire opens a file, or finds it open; to write to it is to create it in its
// full length. The caller uses the file until it releases the handle.
func (f *files) acquire(index int, to use) (*handle, world.File, error) {
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

func (f *files) hold(index int) (*handle, error) {
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
		f.stirred()
	}
	return h, nil
}

func (f *files) opened(h *handle, to use) (world.File, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	write := to == toWrite
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

func (f *files) open(index int, to use) (world.File, error) {
	f.place.RLock()
	defer f.place.RUnlock()
	file, err := f.folder.Open(f.name(index), to == toWrite)
	switch {
	case to == toCheck:
		return file, err
	case to == toWrite && errors.Is(err, fs.ErrNotExist) && f.watch.stamp(index) == absent:
		file, err = f.create(index)
	case err != nil:
		// Perhaps it is the name that does not lead to the file any more.
		if changed := f.watch.look(index, named{f, index}); changed != nil {
			err = changed
		}
	default:
		if err = f.watch.look(index, file); err != nil {
			file.Close()
		}
	}
	if err == nil && to == toWrite {
		if err = f.extend(index, file); err != nil {
			file.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	return file, nil
}

func (f *files) extend(index int, file world.File) error {
	if err := f.watch.begin(index, file); err != nil {
		return err
	}
	defer f.watch.end(index, file)
	return file.Extend(f.torrent.Files[index].Length)
}

func (f *files) create(index int) (world.File, error) {
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
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.newNames[dir] = true; dir != "."; f.newNames[dir] = true {
		dir = path.Dir(dir)
	}
	return file, nil
}

func (f *files) release(h *handle) {
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

// surplus forgets the idle files that were used longest ago, as far as there
// are too many. mu is held, here and in what follows.
func (f *files) surplus() (idle []world.File) {
	for e := f.recent.Back(); e != nil && len(f.handles) > f.limit; {
		h := e.Value.(*handle)
		e = e.Prev()
		if h.refs == 0 {
			idle = append(idle, f.forget(h)...)
		}
	}
	return idle
}

// forget takes an idle handle out and returns what has to be closed.
func (f *files) forget(h *handle) []world.File {
	delete(f.handles, h.index)
	f.recent.Remove(h.at)
	if h.file == nil {
		return nil
	}
	return append(h.outgrown, h.file)
}

func (f *files) forgetIdle() (idle []world.File) {
	for _, h := range f.handles {
		if h.refs == 0 {
			idle = append(idle, f.forget(h)...)
		}
	}
	return idle
}

// rest closes the files that have not been used since it was called before, and
// tells whether others are open.
func (f *files) rest() (open bool) {
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
