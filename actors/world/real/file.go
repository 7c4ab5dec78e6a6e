package real

import (
	"io"
	"io/fs"
	"os"
	"sync"

	"kouzui/actors/world"
	"kouzui/messages"
)

// file is an open regular file. Transfers use its descriptor directly, and hold
// the lock meanwhile, so that Close waits for them: the number of a closed
// descriptor may be given to another file at once.
type file struct {
	folder *folder
	name   string
	os     *os.File

	mu     sync.RWMutex // transfers hold it for reading
	fd     uintptr
	closed bool
}

func newFile(folder *folder, name string, opened *os.File) *file {
	return &file{folder: folder, name: name, os: opened, fd: opened.Fd()}
}

func (f *file) ReadBlocks(bufs [][]byte, off int64, done func(error)) {
	err := f.transfer(readVector, bufs, off)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	done(f.folder.fault("read", f.name, err))
}

func (f *file) WriteBlocks(bufs [][]byte, off int64, done func(error)) {
	done(f.folder.fault("write", f.name, f.transfer(writeVector, bufs, off)))
}

func (f *file) transfer(d transferKind, bufs [][]byte, off int64) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return fs.ErrClosed
	}
	if off < 0 {
		return fs.ErrInvalid
	}
	return f.blocks(d, bufs, off)
}

// transferKind is what a transfer does.
type transferKind int

const (
	readVector transferKind = iota
	writeVector
)

// Sync runs on a goroutine of its own, so that several files are synced at
// once.
func (f *file) Sync(done func(error)) {
	go func() { done(f.folder.fault("sync", f.name, f.os.Sync())) }()
}

// Extend excludes transfers: if one made the file longer after Extend has
// measured it, Extend would cut that off.
func (f *file) Extend(size int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := f.os.Stat()
	if err == nil && size > info.Size() {
		err = f.os.Truncate(size)
	}
	return f.folder.fault("extend", f.name, err)
}

func (f *file) Stat() (world.Info, error) {
	info, err := f.os.Stat()
	if err != nil {
		return world.Info{}, f.folder.fault("stat", f.name, err)
	}
	return describe(info), nil
}

func (f *file) Stamp() (messages.Stamp, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return messages.Stamp{}, f.folder.fault("stat", f.name, fs.ErrClosed)
	}
	s, err := f.stamp()
	return s, f.folder.fault("stat", f.name, err)
}

// Close waits for the transfers under way.
func (f *file) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return f.folder.fault("close", f.name, f.os.Close())
}
