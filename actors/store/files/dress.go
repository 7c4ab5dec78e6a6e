package files

import (
	"errors"
	"io/fs"
	"path"

	"kouzui/actors/world"
)

// Dress gives whole data the attributes of BEP 47: it makes the links that are
// missing, and files executable, but for those that are diverted. It returns
// the files whose stamps have changed. Links are made last, so nothing is ever
// written through one. What the system or the file system cannot do is left
// out, and what has the name of a link stays.
func (f *Files) Dress() (changed []int, err error) {
	f.place.RLock()
	defer f.place.RUnlock()
	for i, file := range f.torrent.Files {
		switch {
		case file.Padding, f.layout.Load().Diverted(i):
		case file.Link != "":
			err = f.link(f.name(i), file.Link)
		case file.Executable:
			var did bool
			if did, err = f.execute(i); did {
				changed = append(changed, i)
			}
		}
		if err != nil && !unable(err) {
			return nil, err
		}
	}
	return changed, nil
}

func unable(err error) bool {
	return errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrPermission) ||
		errors.Is(err, errors.ErrUnsupported) || errors.Is(err, world.ErrLinked)
}

func (f *Files) link(name, target string) error {
	if _, err := f.folder.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir := path.Dir(name)
	err := f.folder.MkdirAll(dir)
	if err == nil {
		err = f.folder.Symlink(target, name)
	}
	if err != nil {
		return err
	}
	f.noteNames(dir)
	return nil
}

// execute makes a file executable, unless it is.
func (f *Files) execute(index int) (changed bool, err error) {
	name := f.name(index)
	info, err := f.folder.Stat(name)
	if err != nil || info.Mode&0o100 != 0 {
		return false, err
	}
	err = f.watch.renaming(index, named{f, index}, func() error { return f.folder.SetExecutable(name) })
	return err == nil, err
}
