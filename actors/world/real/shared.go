package real

import (
	"os"
	"sync"
)

// roots are the open folders of a disk. Torrents in the same folder share one:
// with hundreds of them the folder is open once.
type roots struct {
	mu   sync.Mutex
	open map[string]*root // by the path that was given
}

// root is an open folder and how many use it.
type root struct {
	*os.Root
	users int // guarded by roots.mu
}

// get returns the open folder at dir, and opens it if it is not open yet. If
// another folder has taken the place of the open one, that is opened too.
func (r *roots) get(dir string) (opened *root, giveBack func() error, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	opened = r.open[dir]
	if opened == nil || !opened.isAt(dir) {
		fresh, err := os.OpenRoot(dir)
		if err != nil {
			return nil, nil, err
		}
		if r.open == nil {
			r.open = map[string]*root{}
		}
		opened = &root{Root: fresh}
		r.open[dir] = opened
	}
	opened.users++
	return opened, sync.OnceValue(func() error { return r.giveBack(dir, opened) }), nil
}

func (r *roots) giveBack(dir string, opened *root) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if opened.users--; opened.users > 0 {
		return nil
	}
	if r.open[dir] == opened {
		delete(r.open, dir)
	}
	return opened.Close()
}

// isAt tells whether dir still leads to the open folder.
func (r *root) isAt(dir string) bool {
	named, err := os.Stat(dir)
	if err != nil {
		return false
	}
	open, err := r.Stat(".")
	return err == nil && os.SameFile(named, open)
}
