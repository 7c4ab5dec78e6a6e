// Package place says what is wrong with the folder in which the data of a
// torrent should be, before a command begins to work.
package place

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/wire/metainfo"
)

// Check says why the data of t, complete or not, cannot be read in dir, with
// the path that was tried and what the user may have meant. It is nil if there
// is something that has the torrent's name.
func Check(dir string, t *metainfo.Torrent) error {
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return exit.Errorf(exit.NotFound, "the folder %s does not exist", dir)
	case err != nil:
		return err
	case !info.IsDir():
		return exit.Hint(meant(dir, t), exit.Errorf(exit.Open, "%s is not a folder", dir))
	}
	for _, name := range []string{t.Name, t.PartName()} {
		path := filepath.Join(dir, name)
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err == nil && info.Mode()&fs.ModeSymlink != 0:
			return leadsOut(dir, path, t)
		}
		return err
	}
	return exit.Hint(meant(dir, t), exit.Errorf(exit.NotFound, "%s does not exist", filepath.Join(dir, t.Name)))
}

// leadsOut refuses a link from the folder to another place.
func leadsOut(dir, path string, t *metainfo.Torrent) error {
	actual, err := filepath.EvalSymlinks(path)
	if err != nil {
		return exit.Errorf(exit.NotFound, "%s is a symbolic link that leads to nothing", path)
	}
	folder, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	if below, err := filepath.Rel(folder, actual); err == nil && filepath.IsLocal(below) {
		return nil
	}
	return exit.Hint(meant(actual, t), exit.Errorf(exit.Open, "%s is a symbolic link that leads out of %s, and is not followed", path, dir))
}

// meant is the hint for a user who has given the path of the data instead of
// the folder in which the data is, or "".
func meant(path string, t *metainfo.Torrent) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	if base := filepath.Base(absolute); base == t.Name || base == t.PartName() {
		return fmt.Sprintf("Did you mean %s? That folder holds %s.", filepath.Dir(filepath.Clean(path)), base)
	}
	first := filepath.Join(append([]string{path}, t.Files[0].Path...)...)
	if _, err := os.Lstat(first); err == nil && !t.Single {
		return fmt.Sprintf("The files seem to be in %s itself: its name would have to be %s, and the folder above it given.", path, t.Name)
	}
	return ""
}
