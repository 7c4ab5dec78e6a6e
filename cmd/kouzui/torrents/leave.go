package torrents

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/outfile"
	"kouzui/wire/choice"
	"kouzui/wire/metainfo"
)

// leaving says which names in a folder go into a torrent.
type leaving struct {
	all     bool     // also what Kouzui and systems keep for themselves
	exclude []string // globs
	output  string   // the file that the torrent is written to, if any
}

// check refuses globs that can never match.
func (c *leaving) check() error {
	for _, glob := range c.exclude {
		if _, err := choice.ParseGlob(glob); err != nil {
			return exit.Usagef("", "--exclude %v", err)
		}
	}
	return nil
}

// excluded says whether a glob of --exclude matches.
func (c *leaving) excluded(parts []string) bool {
	return slices.ContainsFunc(c.exclude, func(glob string) bool { return choice.Glob(glob).Match(parts) })
}

// ownOrJunk says whether a file or folder is of no use to others: what Kouzui
// writes beside content, or what a system puts into folders.
func ownOrJunk(where string, e fs.DirEntry) bool {
	name := e.Name()
	if e.IsDir() {
		return junkFolders[strings.ToLower(name)] || strings.HasPrefix(name, ".Trash-") || unfinished(where, name)
	}
	lower := strings.ToLower(name)
	switch {
	case junkFiles[lower], strings.HasPrefix(name, "._"), strings.HasPrefix(name, ".nfs0"), strings.HasPrefix(name, ".fuse_hidden"):
		return true
	case strings.HasPrefix(name, outfile.TempPrefix):
		return true
	case metainfo.Bookkeeping(name):
		return true
	}
	return unfinished(where, name)
}

// junkFiles and junkFolders are names in lower case: of macOS, of Windows, of
// desktops and network drives.
var (
	junkFiles = map[string]bool{
		".ds_store": true, ".localized": true, ".apdisk": true, "icon\r": true, ".volumeicon.icns": true,
		"thumbs.db": true, "thumbs.db:encryptable": true, "ehthumbs.db": true, "ehthumbs_vista.db": true, "desktop.ini": true,
		".directory": true,
	}
	junkFolders = map[string]bool{
		".appledouble": true, ".spotlight-v100": true, ".trashes": true, ".fseventsd": true, ".temporaryitems": true,
		".documentrevisions-v100": true, "$recycle.bin": true, "system volume information": true, "lost+found": true, "@eadir": true,
	}
)

// unfinished says whether name is that of an unfinished download of Kouzui: the
// journal or the lock beside it tells it from a file of another program.
func unfinished(where, name string) bool {
	if !strings.HasSuffix(name, ".part") {
		return false
	}
	beside, err := os.ReadDir(filepath.Dir(where))
	return err == nil && slices.ContainsFunc(beside, func(e fs.DirEntry) bool { return metainfo.BelongsTo(e.Name(), name) })
}

// leftOut tells the user what is left out.
func leftOut(names []string) string {
	return fmt.Sprintf("%s left out, of systems and of Kouzui itself: %s; --all takes them", units.Are(len(names), "name"), few(names))
}

// few lists the first of some names, and says how many more there are.
func few(names []string) string {
	const shown = 3
	text := strings.Join(names[:min(len(names), shown)], ", ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// linkTarget is what a symbolic link in root leads to, as parts of a path in
// root, if that is in root. The other result says why the link cannot be in the
// torrent.
func linkTarget(root, link string) (parts []string, why string) {
	to, err := os.Readlink(link)
	if err != nil {
		return nil, "cannot be read"
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(filepath.Dir(link), to)
	}
	below, err := filepath.Rel(root, to)
	if err != nil || !filepath.IsLocal(below) {
		return nil, "leads out of the folder"
	}
	actual, err := filepath.EvalSymlinks(link)
	if err != nil {
		return nil, "leads to nothing"
	}
	if end, err := filepath.Rel(root, actual); err != nil || !filepath.IsLocal(end) {
		return nil, "leads out of the folder"
	}
	return strings.Split(filepath.ToSlash(below), "/"), ""
}
