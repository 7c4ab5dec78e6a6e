// Package choice says which files of a torrent a user wants, and which of them
// first.
//
// Use: [ParseSelector] reads what names files, a Choice gathers selectors,
// [Choice.Resolve] applies them to a torrent, and [Of] says what follows for
// its pieces.
package choice

import (
	"fmt"

	"github.com/bits-and-blooms/bitset"

	"kouzui/wire/metainfo"
)

// Priority of a file.
type Priority uint8

// Priorities. A file that is not wanted is not made.
const (
	Skip Priority = iota
	Low
	Normal
	High
)

var names = [...]string{Skip: "skip", Low: "low", Normal: "normal", High: "high"}

func (p Priority) String() string { return names[p] }

// ParsePriority reads low, normal or high.
func ParsePriority(text string) (Priority, error) {
	for p, name := range names {
		if name == text && Priority(p) != Skip {
			return Priority(p), nil
		}
	}
	return 0, refuse("%q is no priority: high, normal or low", text)
}

// Rule gives files a priority.
type Rule struct {
	Files    Selector
	Priority Priority
}

// Choice is what a user wants of a torrent, whose files need not be known. The
// zero value wants all files alike.
type Choice struct {
	Select  []Selector // what is wanted; none: all
	Exclude []Selector // what is not, of that
	Largest bool       // of that, only the largest file
	// Priorities hold for what is wanted, the last one that names a file.
	Priorities []Rule
}

// Empty tells whether all files are wanted alike. A nil Choice is empty.
func (c *Choice) Empty() bool {
	return c == nil || len(c.Select) == 0 && len(c.Exclude) == 0 && !c.Largest && len(c.Priorities) == 0
}

// Error is why a choice cannot be read, or does not fit a torrent: a clause
// free of control characters.
type Error struct{ Msg string }

func (e *Error) Error() string { return e.Msg }

func refuse(format string, args ...any) *Error { return &Error{fmt.Sprintf(format, args...)} }

// Resolve returns the priority of each file of a torrent; nil: all are wanted
// alike. Padding (BEP 47) is as the file before it. It is an *Error if a
// selector names no file, or if no file is left.
func (c *Choice) Resolve(t *metainfo.Torrent) ([]Priority, error) {
	if c.Empty() {
		return nil, nil
	}
	files := make([]Priority, len(t.Files))
	give := func(s Selector, p Priority, only func(Priority) bool) error {
		named := false
		for i := range t.Files {
			if t.Files[i].Padding || !s.names(t, i) {
				continue
			}
			named = true
			if only(files[i]) {
				files[i] = p
			}
		}
		if !named {
			return refuse("%q names none of the %d files", metainfo.Clean(s.text, 200), len(t.Files))
		}
		return nil
	}
	all := func(Priority) bool { return true }
	if len(c.Select) == 0 {
		for i := range files {
			files[i] = Normal
		}
	}
	for _, s := range c.Select {
		if err := give(s, Normal, all); err != nil {
			return nil, err
		}
	}
	for _, s := range c.Exclude {
		if err := give(s, Skip, all); err != nil {
			return nil, err
		}
	}
	if c.Largest {
		keepLargest(t, files)
	}
	for _, r := range c.Priorities {
		if err := give(r.Files, r.Priority, func(p Priority) bool { return p != Skip }); err != nil {
			return nil, err
		}
	}
	return settle(t, files)
}

// keepLargest skips all but the largest of the files that are wanted.
func keepLargest(t *metainfo.Torrent, files []Priority) {
	largest := -1
	for i := range files {
		if files[i] != Skip && !t.Files[i].Padding && (largest < 0 || t.Files[i].Length > t.Files[largest].Length) {
			largest = i
		}
	}
	for i := range files {
		if i != largest {
			files[i] = Skip
		}
	}
}

// settle has padding follow the file before it, and finds choices that choose
// nothing, or everything alike.
func settle(t *metainfo.Torrent, files []Priority) ([]Priority, error) {
	wanted, alike := false, true
	for i := range files {
		if t.Files[i].Padding && i > 0 {
			files[i] = files[i-1]
		}
		wanted = wanted || files[i] != Skip && !t.Files[i].Padding
		alike = alike && files[i] == Normal
	}
	switch {
	case !wanted:
		return nil, refuse("none of the %d files is wanted", len(t.Files))
	case alike:
		return nil, nil
	}
	return files, nil
}

// Wanted is what a choice means for a torrent. A nil set is that of all.
type Wanted struct {
	Files  *bitset.BitSet // by index
	Pieces *bitset.BitSet // with a part in any of them
	// High and Low are pieces to be fetched before all others, and after them.
	// A piece has the highest priority of the files that it has a part in. nil:
	// none.
	High, Low *bitset.BitSet
}

// Of returns what priorities as Resolve returns them mean.
func Of(t *metainfo.Torrent, files []Priority) (w Wanted) {
	if files == nil {
		return w
	}
	pieces := make([]Priority, t.PieceCount())
	w.Files = bitset.New(uint(len(files)))
	skipped := false
	for i, p := range files {
		w.Files.SetTo(uint(i), p != Skip)
		skipped = skipped || p == Skip
		if t.Files[i].Padding {
			continue
		}
		for piece, end := t.FilePieces(i); piece < end; piece++ {
			pieces[piece] = max(pieces[piece], p)
		}
	}
	set := func(is func(Priority) bool) *bitset.BitSet {
		some := bitset.New(uint(len(pieces)))
		for i, p := range pieces {
			some.SetTo(uint(i), is(p))
		}
		return some
	}
	if !skipped {
		w.Files = nil
	} else {
		w.Pieces = set(func(p Priority) bool { return p != Skip })
	}
	if s := set(func(p Priority) bool { return p == High }); s.Any() {
		w.High = s
	}
	if s := set(func(p Priority) bool { return p == Low }); s.Any() {
		w.Low = s
	}
	return w
}
