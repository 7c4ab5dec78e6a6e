package torrents

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
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
func findContent(path string, leave *leaving, warn func(string)) (c *content, err error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	actual, err := filepath.EvalSymlinks(absolute)
	if err != nil {
		if info, link := os.Lstat(path); link == nil && info.Mode()&fs.ModeSymlink != 0 {
			return nil, exit.With(exit.Code(err), fmt.Errorf("%s is a symbolic link that leads to nothing: %w", path, err))
		}
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
			c.add(filepath.Base(actual), metainfo.FileSpec{Length: info.Size(), Executable: executable(info)})
		}
	case info.IsDir():
		if c.Folder, err = real.OpenExisting(actual); err == nil {
			err = c.walk(actual, leave, warn)
		}
	default:
		err = exit.Errorf(exit.Other, "%s is neither a file nor a folder", path)
	}
	if err == nil && c.Length() == 0 {
		err = exit.Errorf(exit.Other, "%s has no content", path)
	}
	return c, err
}

// executable says whether users may run the file. Windows knows no such thing.
func executable(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode()&0o111 != 0
}

func (c *content) add(name string, f metainfo.FileSpec) {
	c.files = append(c.files, f)
	c.Files = append(c.Files, hashing.File{Name: name, Length: f.Length})
}

// walk adds what the user chooses of the folder at root, sorted by path.
func (c *content) walk(root string, leave *leaving, warn func(string)) error {
	var (
		list []metainfo.FileSpec
		left []string
	)
	output, _ := os.Stat(leave.output)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		skip := func() error {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		parts := strings.Split(filepath.ToSlash(below), "/")
		if leave.excluded(parts) {
			return skip()
		}
		if !leave.all && ownOrJunk(path, e) {
			left = append(left, filepath.ToSlash(below))
			return skip()
		}
		switch {
		case e.IsDir():
			return nil
		case e.Type()&fs.ModeSymlink != 0:
			target, why := linkTarget(root, path)
			if why != "" {
				warn(fmt.Sprintf("the link %s %s and is left out", path, why))
				return nil
			}
			list = append(list, metainfo.FileSpec{Path: parts, Link: target})
			return nil
		case !e.Type().IsRegular():
			warn(fmt.Sprintf("%s is not a regular file and is left out", path))
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if output != nil && os.SameFile(output, info) {
			warn(fmt.Sprintf("%s is what the torrent is written to and is left out", path))
			return nil
		}
		list = append(list, metainfo.FileSpec{Path: parts, Length: info.Size(), Executable: executable(info)})
		return nil
	})
	if err != nil {
		return err
	}
	if len(left) > 0 {
		warn(leftOut(left))
	}
	list = withoutDangling(list, warn)
	slices.SortFunc(list, func(a, b metainfo.FileSpec) int { return slices.Compare(a.Path, b.Path) })
	for _, f := range list {
		c.add(strings.Join(f.Path, "/"), f)
	}
	return nil
}

// withoutDangling leaves out the links to what is not in the list, until each
// leads to a file or a folder that is.
func withoutDangling(list []metainfo.FileSpec, warn func(string)) []metainfo.FileSpec {
	for {
		known := map[string]bool{".": true}
		for _, f := range list {
			for n := range f.Path {
				known[strings.Join(f.Path[:n+1], "/")] = true
			}
		}
		before := len(list)
		list = slices.DeleteFunc(list, func(f metainfo.FileSpec) bool {
			dangles := f.Link != nil && !known[strings.Join(f.Link, "/")]
			if dangles {
				warn(fmt.Sprintf("the link %s leads to what is left out, and is left out as well", strings.Join(f.Path, "/")))
			}
			return dangles
		})
		if len(list) == before {
			return list
		}
	}
}

// align puts padding (BEP 47) before each file that would begin within a piece.
func (c *content) align(pieceLength int64) {
	files, names, at := c.files, c.Files, int64(0)
	c.files, c.Files = nil, nil
	for i, f := range files {
		if gap := -at & (pieceLength - 1); gap > 0 && f.Length > 0 {
			c.add("", metainfo.FileSpec{Path: []string{".pad", strconv.FormatInt(gap, 10)}, Length: gap, Padding: true})
			at += gap
		}
		c.add(names[i].Name, f)
		at += f.Length
	}
}

// readable says early which file cannot be read.
func (c *content) readable() error {
	for _, f := range c.Files {
		if f.Length == 0 || f.Name == "" {
			continue
		}
		file, err := c.Folder.Open(f.Name, false)
		if err != nil {
			return err
		}
		file.Close()
	}
	return nil
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
