package metainfo

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// separate makes sure that no two files have the same path and that no file is
// another's folder. Such a clash in the torrent itself is refused. One that
// results from making names safe, or from a system that folds case, is resolved
// by adding numbers. Files whose names were not changed come first, so that
// they keep them.
func (t *Torrent) separate(p platform) error {
	s := separator{platform: p, taken: make(map[string]entry, len(t.Files)), number: make(map[string]int)}
	var untouched, renamed []*File
	for i := range t.Files {
		switch f := &t.Files[i]; {
		case f.Padding:
		case f.Original == nil:
			untouched = append(untouched, f)
		default:
			renamed = append(renamed, f)
		}
	}
	for i, f := range slices.Concat(untouched, renamed) {
		path, err := s.claim(f.Path, i >= len(untouched))
		if err != nil {
			return err
		}
		if slices.Equal(path, f.Path) {
			continue
		}
		if f.Original == nil {
			f.Original = f.Path
		}
		f.Path = path
		t.warn("Another file has the name of %q, which becomes %q.", shownPath(f.Original), shownPath(path))
	}
	return nil
}

// Folded returns the torrent for a disk on which names that differ only in case
// or Unicode normalisation are the same. That is t itself, unless it has such
// names.
func (t *Torrent) Folded() *Torrent {
	folded := *t
	folded.Files, folded.Warnings = slices.Clone(t.Files), nil
	p := local
	p.folds = true
	if err := folded.separate(p); err != nil || len(folded.Warnings) == 0 {
		return t
	}
	return &folded
}

// separator knows the paths that have been given to files so far.
type separator struct {
	platform
	taken  map[string]entry
	number map[string]int // the last number given for a clashing path: keeps the search linear however many clash
}

// entry is a file or folder at a path.
type entry struct {
	folder bool
	exact  string // the path as it came to claim: before folding and numbering
}

// claim returns path, with a number added to each part that clashes, and enters
// it.
func (s *separator) claim(path []string, renamed bool) ([]string, error) {
	joined := strings.Join(path, "/")
	out, prefix, size := path, "", 0
	for i, part := range path {
		folder := i < len(path)-1
		size += len(part)
		exact := joined[:size+i]
		at := prefix + part
		if e, clash := s.clash(at, folder); clash {
			if e.exact == exact && !renamed {
				return nil, refuse("The torrent has more than one file at %q.", shownPath(path))
			}
			name := s.renumber(prefix, part, folder)
			if &out[0] == &path[0] {
				out = slices.Clone(path)
			}
			out[i], at = name, prefix+name
		}
		if key := s.key(at); !s.taken[key].folder {
			s.taken[key] = entry{folder: folder, exact: exact}
		}
		prefix = at + "/"
	}
	return out, nil
}

// clash returns what is in the way at a path: for a file anything, for a folder
// a file.
func (s *separator) clash(at string, folder bool) (entry, bool) {
	e, ok := s.taken[s.key(at)]
	return e, ok && !(folder && e.folder)
}

// renumber finds the first number that makes part free under prefix. Folders
// that clash alike share a number.
func (s *separator) renumber(prefix, part string, folder bool) string {
	key := s.key(prefix + part)
	stem, ext := splitExt(part)
	for n := max(s.number[key], 2); ; n++ {
		suffix := fmt.Sprintf(" (%d)", n) + ext
		name := cut(stem, MaxPathPart-len(suffix)) + suffix
		if _, clash := s.clash(prefix+name, folder); !clash {
			s.number[key] = n
			return name
		}
	}
}

func (s *separator) key(path string) string {
	if s.folds {
		return strings.ToLower(norm.NFC.String(path))
	}
	return path
}
