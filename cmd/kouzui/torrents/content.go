package torrents

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/hashing"
	"kouzui/wire/metainfo"
)

// content is what a torrent is made of.
type content struct {
	hashing.Content // in the order of files
	name            string
	single          bool
	files           []metainfo.FileSpec
}

// findContent follows path if it is a symbolic link, but no link below it.
func findContent(path string, warn func(string)) (c *content, err error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	actual, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(actual)
	if err != nil {
		return nil, err
	}
	c = &content{name: filepath.Base(absolute)}
	defer func() {
		if err != nil && c.Folder != nil {
			c.Folder.Close()
		}
	}()
	switch {
	case info.Mode().IsRegular():
		c.single = true
		if c.Folder, err = real.OpenExisting(filepath.Dir(actual)); err == nil {
			c.add(nil, filepath.Base(actual), info.Size())
		}
	case info.IsDir():
		if c.Folder, err = real.OpenExisting(actual); err == nil {
			err = c.walk(actual, warn)
		}
	default:
		err = exit.Errorf(exit.Other, "%s is neither a file nor a folder", path)
	}
	if err == nil && c.Length() == 0 {
		err = exit.Errorf(exit.Other, "%s has no content", path)
	}
	return c, err
}

func (c *content) add(parts []string, name string, size int64) {
	c.files = append(c.files, metainfo.FileSpec{Path: parts, Length: size})
	c.Files = append(c.Files, hashing.File{Name: name, Length: size})
}

func (c *content) walk(root string, warn func(string)) error {
	type found struct {
		parts []string
		size  int64
	}
	var list []found
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir():
			return nil
		case !e.Type().IsRegular():
			warn(fmt.Sprintf("%s is not a regular file and is left out", path))
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		list = append(list, found{strings.Split(filepath.ToSlash(below), "/"), info.Size()})
		return nil
	})
	slices.SortFunc(list, func(a, b found) int { return slices.Compare(a.parts, b.parts) })
	for _, f := range list {
		c.add(f.parts, strings.Join(f.parts, "/"), f.size)
	}
	return err
}

// contentAt is the data of a torrent under base. Files have the names that a
// download gives them in this folder.
func contentAt(folder world.Folder, t *metainfo.Torrent, base string) hashing.Content {
	if world.Folds(folder, t.JournalName(), base) {
		t = t.Folded()
	}
	files := make([]hashing.File, len(t.Files))
	for i, f := range t.Files {
		files[i].Length = f.Length
		switch {
		case f.Padding:
		case t.Single:
			files[i].Name = base
		default:
			files[i].Name = base + "/" + strings.Join(f.Path, "/")
		}
	}
	return hashing.Content{Folder: folder, Files: files}
}
