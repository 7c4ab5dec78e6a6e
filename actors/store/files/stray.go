package files

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"kouzui/actors/world"
	"kouzui/wire/metainfo"
)

// junk tells whether name is one that systems put into folders that a user
// looks at, such as macOS beside each file of a share. It is moved with a
// folder.
func junk(name string) bool {
	return slices.Contains([]string{".ds_store", "thumbs.db", "desktop.ini", ".directory"}, strings.ToLower(name)) ||
		strings.HasPrefix(name, "._")
}

// Stray finds a name in the torrent's folders below base that is not the
// torrent's, and would be moved with base. It is "" if there is none.
func Stray(folder world.Folder, t *metainfo.Torrent, base string) (string, error) {
	if t.Single {
		return "", nil
	}
	own, dirs := make(map[string]bool, len(t.Files)), []string{"."}
	folds := world.Folds(folder, t.LockName(), base)
	key := func(name string) string {
		if folds {
			return metainfo.Fold(name)
		}
		return name
	}
	for _, f := range t.Files {
		name := strings.Join(f.Path, "/")
		own[key(name)] = true
		for dir := path.Dir(name); dir != "." && !own[key(dir)]; dir = path.Dir(dir) {
			own[key(dir)] = true
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range dirs {
		names, err := folder.ReadDir(path.Join(base, dir))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		slices.Sort(names)
		for _, name := range names {
			if !own[key(path.Join(dir, name))] && !junk(name) {
				return path.Join(base, dir, name), nil
			}
		}
	}
	return "", nil
}

// Stray is the function Stray for this data.
func (f *Files) Stray() (string, error) {
	f.place.RLock()
	defer f.place.RUnlock()
	return Stray(f.folder, f.torrent, f.base)
}
