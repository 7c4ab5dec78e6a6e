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

// junk are names that systems put into folders that a user looks at. They are
// moved with a folder.
var junk = []string{".DS_Store", "Thumbs.db", "desktop.ini", ".directory"}

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
			return strings.ToLower(name)
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
			if !own[key(path.Join(dir, name))] && !slices.Contains(junk, name) {
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
