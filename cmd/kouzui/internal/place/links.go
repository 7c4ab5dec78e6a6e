package place

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"kouzui/actors/runtime/units"
	"kouzui/wire/metainfo"
)

// WrongLink says what stands at a path instead of a symbolic link of a torrent
// to target. It is "" if the link is right, and if nothing stands there.
func WrongLink(at, target string) string {
	info, err := os.Lstat(at)
	if err != nil {
		return ""
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return "not a symbolic link to " + target
	}
	actual, err := os.Readlink(at)
	if err != nil || path.Clean(filepath.ToSlash(actual)) == path.Clean(target) {
		return ""
	}
	if absolute, err := filepath.Abs(at); err == nil && filepath.IsAbs(actual) && filepath.Join(filepath.Dir(absolute), filepath.FromSlash(target)) == filepath.Clean(actual) {
		return "" // create takes such a link, too
	}
	return fmt.Sprintf("a symbolic link to %s instead of %s", metainfo.Clean(actual, longestTarget), target)
}

// longestTarget is how many bytes of what a link leads to are shown.
const longestTarget = 200

// WrongLinks says in one sentence which links of complete data are not as in
// the torrent. A download leaves what has the name of a link, and no peer is
// sent one. It is "" if there is nothing to say.
func WrongLinks(dir string, t *metainfo.Torrent) string {
	var first string
	n := 0
	for i := range t.Files {
		f := &t.Files[i]
		if f.Link == "" {
			continue
		}
		at := filepath.Join(append([]string{dir, t.Root()}, f.Path...)...)
		if wrong := WrongLink(at, f.Link); wrong != "" {
			if n++; n == 1 {
				first = strings.Join(f.Path, "/") + " is " + wrong
			}
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s: %s, and is left as it is", t.Name, first)
	}
	return fmt.Sprintf("%s: %s not as in the torrent, and left as they are: %s; verify lists them", t.Name, units.Are(n, "link"), first)
}
