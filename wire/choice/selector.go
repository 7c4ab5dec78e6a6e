package choice

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"kouzui/wire/magnet"
	"kouzui/wire/metainfo"
)

// Selector names files of a torrent: by their index in it, from 0, or by a
// glob.
type Selector struct {
	text   string
	ranges []magnet.Range
	glob   Glob
}

// ParseSelector reads an index, a range or several with commas between, as
// "3", "2-5" or "0,4-7" (BEP 53), and takes all else for a glob, see Glob. The
// error is an *Error.
func ParseSelector(text string) (Selector, error) {
	if text == "" || strings.Trim(text, "0123456789,-") != "" {
		glob, err := ParseGlob(text)
		return Selector{text: text, glob: glob}, err
	}
	s := Selector{text: text}
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, bad := strconv.ParseUint(first, 10, 31)
		b, worse := strconv.ParseUint(last, 10, 31)
		if bad != nil || worse != nil || a > b || b >= metainfo.MaxFiles {
			return s, refuse("%q names no files: indices from 0 as in 3, 2-5 or 0,4-7, or a pattern as in '*.mkv'", metainfo.Clean(text, 200))
		}
		s.ranges = append(s.ranges, magnet.Range{First: int(a), Last: int(b)})
	}
	return s, nil
}

// InLink is the selector of the files that a magnet link chooses (BEP 53).
func InLink(files []magnet.Range) Selector {
	return Selector{text: magnet.Link{Files: files}.Chosen(), ranges: files}
}

func (s Selector) String() string { return s.text }

// names tells whether the selector names a file of t, or a folder above it.
func (s Selector) names(t *metainfo.Torrent, file int) bool {
	if s.ranges != nil {
		return slices.ContainsFunc(s.ranges, func(r magnet.Range) bool { return r.First <= file && file <= r.Last })
	}
	parts := t.Files[file].Path
	if t.Single {
		parts = []string{t.Name}
	}
	for n := 1; n <= len(parts); n++ {
		if s.glob.Match(parts[:n]) {
			return true
		}
	}
	return false
}

// Glob is a pattern for names in a folder, as those of path.Match. One with a
// slash is held against the path in the folder, another against the name
// alone.
type Glob string

// ParseGlob refuses patterns that can never match. The error is an *Error.
func ParseGlob(text string) (Glob, error) {
	if _, err := path.Match(text, ""); err != nil || strings.Trim(text, "/") == "" {
		return "", refuse("%q must be a pattern such as '*.tmp', 'cache' or 'docs/*.txt'", metainfo.Clean(text, 200))
	}
	return Glob(text), nil
}

// Match tells whether the pattern matches the file or folder at this path.
func (g Glob) Match(parts []string) bool {
	glob, text := strings.TrimSuffix(strings.TrimPrefix(string(g), "./"), "/"), parts[len(parts)-1]
	if strings.Contains(glob, "/") {
		glob, text = strings.TrimPrefix(glob, "/"), strings.Join(parts, "/")
	}
	match, err := path.Match(glob, text)
	return match && err == nil
}
