package real

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"kouzui/actors/world"
)

// lockTries is how often Lock tries when others take and release the lock at
// the same moment; after that the lock counts as held.
const lockTries = 100

// Lock locks the file name, which it creates and, on unlock, removes. The lock
// belongs to the open file: the system releases it when the process ends in
// whatever way, and the next process can lock a file that a crash left behind.
//
// The file is removed while the lock is held, and whoever gets a lock checks
// that name still leads to the locked file. If two processes open the file
// while a third removes it, one of them finds that it has locked a file without
// a name, and tries again.
func (f *folder) Lock(name string) (unlock func(), err error) {
	for range lockTries {
		held, err := f.openOrCreate(name)
		if err == errChanged {
			continue
		}
		if err != nil {
			return nil, f.fault("lock", name, err)
		}
		if err := f.locks.take(held); err != nil {
			held.Close()
			return nil, f.fault("lock", name, err)
		}
		if info, err := held.Stat(); err == nil && info.Size() > 0 {
			f.locks.release(held) // a stranger's: a lock is empty, and is removed in the end
			return nil, f.fault("lock", name, fs.ErrExist)
		}
		if f.isAt(held, name) {
			var once sync.Once
			return func() { once.Do(func() { f.unlock(held, name) }) }, nil
		}
		f.locks.release(held)
	}
	return nil, f.fault("lock", name, world.ErrLocked)
}

// locks are the locked files of this process.
type locks struct {
	mu   sync.Mutex
	held []*os.File
}

// take locks a file. Whether this process has locked it before, perhaps by
// another path, makes a difference to the error.
func (l *locks) take(file *os.File) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := lockFile(file)
	switch {
	case err == nil:
		l.held = append(l.held, file)
	case errors.Is(err, world.ErrLocked) && slices.ContainsFunc(l.held, func(other *os.File) bool { return same(file, other) }):
		err = world.ErrNameUsed
	}
	return err
}

// release closes a file that was locked.
func (l *locks) release(file *os.File) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = slices.DeleteFunc(l.held, func(other *os.File) bool { return other == file })
	file.Close()
}

func same(a, b *os.File) bool {
	x, err := a.Stat()
	if err != nil {
		return false
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y)
}

// isAt tells whether name leads to the open file.
func (f *folder) isAt(open *os.File, name string) bool {
	a, err := open.Stat()
	if err != nil {
		return false
	}
	b, err := f.lstat(name)
	return err == nil && os.SameFile(a, b)
}

func (f *folder) unlock(held *os.File, name string) {
	if f.isAt(held, name) {
		_ = f.root.Remove(filepath.FromSlash(name)) // a file that stays does no harm
	}
	f.locks.release(held)
}

// lockError is the error of a lock that was refused.
func lockError(err, refused error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, refused):
		return world.ErrLocked
	case errors.Is(err, errors.ErrUnsupported):
		return errors.New("this file system has no locks")
	}
	return err
}
