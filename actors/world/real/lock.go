package real

import (
	"errors"
	"os"
	"path/filepath"
	"sync"

	"kouzui/actors/world"
)

// lockTries bounds how often a lock that others take and drop at the same
// moment is tried for; after that it is as good as held.
const lockTries = 100

// Lock locks the file name, which it makes and, on unlock, removes. The lock is
// on the open file, not on its name: the system drops it when the process ends,
// however it ends, and a file left behind by a crash is locked again by the
// next process.
//
// The file is removed while the lock is held, and whoever gets a lock checks
// that the name still leads to the file that it locked: of two that open the
// file while a third removes it, one sees that it holds a lock on a file
// without a name, and begins again.
func (f *folder) Lock(name string) (unlock func(), err error) {
	for range lockTries {
		held, err := f.openOrCreate(name)
		if err == errChanged {
			continue
		}
		if err != nil {
			return nil, f.fault("lock", name, err)
		}
		if err := lockFile(held); err != nil {
			held.Close()
			return nil, f.fault("lock", name, err)
		}
		if f.isAt(held, name) {
			var once sync.Once
			return func() { once.Do(func() { f.unlock(held, name) }) }, nil
		}
		held.Close()
	}
	return nil, f.fault("lock", name, world.ErrLocked)
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
		_ = f.root.Remove(filepath.FromSlash(name)) // one that stays does no harm
	}
	held.Close()
}

// lockError is what a refused lock means.
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
