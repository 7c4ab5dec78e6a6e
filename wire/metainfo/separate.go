package metainfo

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// separate makes sure that no two files have the same path and that no file is
// another's folder, by adding numbers: whether the torrent itself has the
// clash, or it results from making names safe, or from a system that folds
// case. Files whose names were not changed come first, so that they keep them.
func (t *Torrent) separate(p platform) {
	s := separator{platform: p, taken: make(map[place]claimed, len(t.Files)), number: make(map[place]int)}
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
	for _, f := range slices.Concat(untouched, renamed) {
		path := s.claim(f.Path)
		if slices.Equal(path, f.Path) {
			continue
		}
		if f.Original == nil {
			f.Original = f.Path
		}
		f.Path = path
		t.warn("Another file has the name of %q, which becomes %q.", shownPath(f.Original), shownPath(path))
	}
	t.nameLinks()
}

// Folded returns the torrent for a disk on which names that differ only in case
// or Unicode normalisation are the same. That is t itself, unless it has such
// names.
func (t *Torrent) Folded() *Torrent {
	folded := *t
	folded.Files, folded.Warnings = slices.Clone(t.Files), nil
	p := local
	p.folds = true
	if folded.separate(p); len(folded.Warnings) == 0 {
		return t
	}
	return &folded
}

// separator knows the paths that have been given to files so far. It costs as
// much as the text of the paths, however deep they are.
type separator struct {
	platform
	taken   map[place]claimed
	number  map[place]int // the last number given for a clashing name: keeps the search linear however many clash
	folders int
}

// claimed is a name that was given to a file or a folder.
type claimed struct{ folder int } // the folder's number, from 1; 0: a file

// claim returns path, with a number added to each part that clashes, and enters
// it.
func (s *separator) claim(path []string) []string {
	out, in := path, 0
	for i, part := range path {
		folder := i < len(path)-1
		if s.clash(in, part, folder) {
			if &out[0] == &path[0] {
				out = slices.Clone(path)
			}
			part = s.renumber(in, part, folder)
			out[i] = part
		}
		here := s.key(in, part)
		entry, known := s.taken[here]
		if !known {
			if folder {
				s.folders++
				entry.folder = s.folders
			}
			s.taken[here] = entry
		}
		in = entry.folder
	}
	return out
}

// clash tells whether something is in the way of a name in a folder: for a file
// anything, for a folder a file.
func (s *separator) clash(in int, name string, folder bool) bool {
	entry, taken := s.taken[s.key(in, name)]
	return taken && !(folder && entry.folder > 0)
}

// renumber finds the first number that makes a name free in a folder. Folders
// that clash alike share a number.
func (s *separator) renumber(in int, part string, folder bool) string {
	key := s.key(in, part)
	stem, ext := splitExt(part)
	for n := max(s.number[key], 2); ; n++ {
		suffix := fmt.Sprintf(" (%d)", n) + ext
		name := cut(stem, MaxPathPart-len(suffix)) + suffix
		if !s.clash(in, name, folder) {
			s.number[key] = n
			return name
		}
	}
}

func (s *separator) key(folder int, name string) place {
	if s.folds {
		name = Fold(name)
	}
	return place{folder, name}
}

// Fold returns what all names have in common that a disk which folds case takes
// for equal.
func Fold(name string) string { return strings.ToLower(norm.NFC.String(name)) }
