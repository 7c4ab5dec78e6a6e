package real

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"kouzui/actors/world"
)

const (
	filePerm   = 0o666 // both before the user's umask
	folderPerm = 0o777
)

var errChanged = errors.New("was replaced while it was being opened")

// Disk is the system's file systems. Its zero value is ready to use.
type Disk struct {
	roots roots
	locks locks
}

var _ world.Disk = (*Disk)(nil)

// OpenFolder implements world.Disk. Symbolic links in dir are followed: they
// are the user's own.
func (d *Disk) OpenFolder(dir string) (world.Folder, error) {
	f := &folder{dir: dir, locks: &d.locks}
	if err := os.MkdirAll(dir, folderPerm); err != nil {
		return nil, f.fault("mkdir", ".", err)
	}
	opened, giveBack, err := d.roots.get(dir)
	if err != nil {
		return nil, f.fault("open", ".", err)
	}
	f.root, f.close = opened.Root, giveBack
	return f, nil
}

// OpenExisting opens a folder for reading. It does not create the folder.
func OpenExisting(dir string) (world.Folder, error) {
	f := &folder{dir: dir, locks: &locks{}}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, f.fault("open", ".", err)
	}
	f.root, f.close = root, root.Close
	return f, nil
}

// folder does everything through an os.Root, so that no name and no link leads
// outside of it. Links that stay inside are followed, except in the last part
// of a name.
type folder struct {
	root  *os.Root
	close func() error // gives root back
	dir   string       // as the user wrote it
	locks *locks
}

func (f *folder) Stat(name string) (world.Info, error) {
	info, err := f.lstat(name)
	if err != nil {
		return world.Info{}, f.fault("stat", name, err)
	}
	return describe(info), nil
}

func (f *folder) lstat(name string) (fs.FileInfo, error) {
	local, err := filepath.Localize(name)
	if err != nil {
		return nil, fs.ErrInvalid
	}
	return f.root.Lstat(local)
}

func describe(i fs.FileInfo) world.Info {
	return world.Info{Stamp: stampOf(i), Mode: i.Mode(), Allocated: allocated(i)}
}

func (f *folder) ReadDir(name string) ([]string, error) {
	d, err := f.openDir(name)
	if err != nil {
		return nil, f.fault("read folder", name, err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	return names, f.fault("read folder", name, err)
}

// openDir opens a folder inside the root.
func (f *folder) openDir(name string) (*os.File, error) {
	local, err := filepath.Localize(name)
	if err != nil {
		return nil, fs.ErrInvalid
	}
	return f.root.OpenFile(local, os.O_RDONLY|openDirectory, 0)
}

func (f *folder) MkdirAll(name string) error {
	local, err := filepath.Localize(name)
	if err != nil {
		err = fs.ErrInvalid
	} else {
		err = f.root.MkdirAll(local, folderPerm)
	}
	return f.fault("mkdir", name, err)
}

func (f *folder) Open(name string, write bool) (world.File, error) {
	flag := os.O_RDONLY
	if write {
		flag = os.O_RDWR
	}
	opened, err := f.openRegular(name, flag)
	if err != nil {
		return nil, f.fault("open", name, err)
	}
	return newFile(f, name, opened), nil
}

func (f *folder) Create(name string) (world.File, error) {
	opened, err := f.openOrCreate(name)
	if err != nil {
		return nil, f.fault("create", name, err)
	}
	return newFile(f, name, opened), nil
}

// openRegular opens a file that is a regular one both before and after it is
// opened. So it opens no link and no pipe, even if one is put there at that
// moment, and nothing that could block or act when it is opened.
func (f *folder) openRegular(name string, flag int) (*os.File, error) {
	before, err := f.lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, world.ErrNotRegular
	}
	opened, err := f.root.OpenFile(filepath.FromSlash(name), flag|openNonblock, 0)
	if err != nil {
		return nil, err
	}
	after, err := opened.Stat()
	switch {
	case err != nil:
	case !os.SameFile(before, after):
		err = errChanged
	case flag&os.O_RDWR != 0 && links(after) > 1:
		err = world.ErrLinked
	}
	if err != nil {
		opened.Close()
		return nil, err
	}
	return opened, nil
}

// openOrCreate never creates through a link: O_EXCL does not follow one.
func (f *folder) openOrCreate(name string) (*os.File, error) {
	for range 3 { // another process may create or remove the file in between
		opened, err := f.openRegular(name, os.O_RDWR)
		if !errors.Is(err, fs.ErrNotExist) {
			return opened, err
		}
		opened, err = f.root.OpenFile(filepath.FromSlash(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, filePerm)
		if !errors.Is(err, fs.ErrExist) {
			return opened, err
		}
	}
	return nil, errChanged
}

func (f *folder) Rename(from, to string) error {
	_, err := f.lstat(from)
	if err != nil {
		return f.fault("rename", from, err)
	}
	_, err = f.lstat(to)
	switch {
	case err == nil:
		return f.fault("rename to", to, fs.ErrExist)
	case !errors.Is(err, fs.ErrNotExist):
		return f.fault("rename to", to, err)
	}
	err = f.renameNew(from, to)
	if errors.Is(err, errors.ErrUnsupported) {
		// A file that another process creates at to in this moment is overwritten.
		err = f.root.Rename(filepath.FromSlash(from), filepath.FromSlash(to))
	}
	return f.fault("rename to", to, err)
}

func (f *folder) Symlink(target, name string) error {
	local, err := filepath.Localize(name)
	if err != nil {
		err = fs.ErrInvalid
	} else {
		err = f.root.Symlink(filepath.FromSlash(target), local)
	}
	return f.fault("link", name, err)
}

func (f *folder) SetExecutable(name string) error {
	opened, err := f.openRegular(name, os.O_RDWR)
	if err != nil {
		return f.fault("chmod", name, err)
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err == nil {
		err = opened.Chmod(info.Mode().Perm() | info.Mode().Perm()>>2&0o111)
	}
	return f.fault("chmod", name, err)
}

func (f *folder) Remove(name string) error {
	local, err := filepath.Localize(name)
	if err != nil {
		err = fs.ErrInvalid
	} else {
		err = f.root.Remove(local)
	}
	return f.fault("remove", name, err)
}

func (f *folder) RemoveAll(name string) error {
	local, err := filepath.Localize(name)
	if err != nil {
		err = fs.ErrInvalid
	} else {
		err = f.root.RemoveAll(local)
	}
	return f.fault("remove", name, err)
}

func (f *folder) Sync(dir string) error { return f.fault("sync", dir, f.syncDir(dir)) }

func (f *folder) syncDir(dir string) error {
	d, err := f.openDir(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return syncFolder(d)
}

func (f *folder) Free() (int64, error) {
	n, err := f.free()
	return n, f.fault("free space", ".", err)
}

func (f *folder) Close() error { return f.close() }
