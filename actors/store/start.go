package store

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/bits-and-blooms/bitset"
	"github.com/dustin/go-humanize"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// ErrForeign: under the torrent's name lies something that is not the torrent's,
// and a download would overwrite it. It is an fs.ErrExist.
var ErrForeign error = foreign{}

type foreign struct{}

func (foreign) Error() string        { return "exists already and does not belong to this torrent" }
func (foreign) Is(target error) bool { return target == fs.ErrExist }

// found is what a store finds at its start.
type found struct {
	base    string           // where the data is, or is going to be
	exists  bool             // something is at base
	stamps  []messages.Stamp // of each file; a padding file has none
	blocks  []int64          // bytes that each takes on disk
	strange string           // the first name that is no regular file, or longer than it should be
	journal *journal
}

// look finds the data: under its final name, or else as a partial one.
func look(folder world.Folder, t *metainfo.Torrent) (*found, error) {
	f := &found{base: t.PartName(), stamps: make([]messages.Stamp, len(t.Files)), blocks: make([]int64, len(t.Files))}
	for i := range f.stamps {
		f.stamps[i] = absent
	}
	var other error
	if f.journal, other = readJournal(folder, t); !errors.Is(other, errOtherJournal) {
		other = nil
	}
	for _, name := range []string{t.Name, t.PartName()} {
		info, err := folder.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if name == t.PartName() && other != nil {
			return nil, fmt.Errorf("%s: %w: %w", name, ErrForeign, other)
		}
		f.base, f.exists = name, true
		if !t.Single && !info.Mode.IsDir() {
			f.strange = name
			return f, nil
		}
		return f, f.inspect(folder, t)
	}
	return f, nil
}

func (f *found) inspect(folder world.Folder, t *metainfo.Torrent) error {
	for i := range t.Files {
		if t.Files[i].Padding {
			continue
		}
		name := nameIn(t, f.base, i)
		info, err := folder.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case !info.Mode.IsRegular() || info.Size > t.Files[i].Length:
			if f.strange == "" {
				f.strange = name
			}
		default:
			f.stamps[i], f.blocks[i] = info.Stamp, info.Allocated
			if info.Allocated < 0 {
				f.blocks[i] = info.Size
			}
		}
	}
	return nil
}

// plan says which of the pieces are there, and which have to be hashed to know.
func (f *found) plan(t *metainfo.Torrent, mode messages.CheckMode, mustExist bool) (have *bitset.BitSet, check []int, err error) {
	have = bitset.New(uint(t.PieceCount()))
	switch {
	case !f.exists && mustExist:
		return nil, nil, fmt.Errorf("%s: %w", t.Name, fs.ErrNotExist)
	case !f.exists:
		return have, nil, nil
	case f.strange != "" && !mustExist:
		return nil, nil, fmt.Errorf("%s: %w", f.strange, ErrForeign)
	}
	doubtful := f.doubtful(t, mode)
	for i := range t.PieceCount() {
		switch {
		case !f.covers(t, i):
		case doubtful.Test(uint(i)):
			check = append(check, i)
		case f.journal != nil && f.journal.verified.Test(uint(i)):
			have.Set(uint(i))
		}
	}
	return have, check, nil
}

// doubtful are the pieces about which the journal says nothing that counts.
func (f *found) doubtful(t *metainfo.Torrent, mode messages.CheckMode) *bitset.BitSet {
	pieces := bitset.New(uint(t.PieceCount()))
	switch {
	case mode == messages.CheckNone:
	case mode == messages.CheckFull || f.journal == nil:
		pieces.FlipRange(0, uint(t.PieceCount()))
	default:
		for i, s := range f.stamps {
			if f.journal.vouches(i, s) {
				continue
			}
			setPieces(pieces, t, i, true)
		}
	}
	return pieces
}

// setPieces enters or takes out the pieces that a file has a part of.
func setPieces(pieces *bitset.BitSet, t *metainfo.Torrent, file int, to bool) {
	for p, end := t.FilePieces(file); p < end; p++ {
		pieces.SetTo(uint(p), to)
	}
}

// covers tells whether the files are there as far as the piece reaches into
// them.
func (f *found) covers(t *metainfo.Torrent, piece int) bool {
	var spans [8]metainfo.Span
	for _, s := range t.AppendPieceSpans(spans[:0], piece) {
		if !t.Files[s.File].Padding && f.stamps[s.File].Size < s.Offset+s.Length {
			return false
		}
	}
	return true
}

// ours tells whether data of which no piece is right may be written to all the
// same: it is named as partial, the journal knows it, or there is none.
func (f *found) ours(t *metainfo.Torrent) bool {
	if f.base != t.Name || f.journal != nil {
		return true
	}
	for _, s := range f.stamps {
		if s.Size > 0 {
			return false
		}
	}
	return true
}

// whole tells whether every file is there, also those that no piece tells of.
func (f *found) whole(t *metainfo.Torrent) bool {
	for i, s := range f.stamps {
		if !t.Files[i].Padding && s.Size != t.Files[i].Length {
			return false
		}
	}
	return f.base == t.Name
}

// missing is how many bytes of the disk the torrent still needs: of each file
// what is not verified, but not what it occupies already.
func (f *found) missing(t *metainfo.Torrent, have *bitset.BitSet) int64 {
	total := int64(0)
	for i, file := range t.Files {
		if file.Padding {
			continue
		}
		lacking := int64(0)
		for p, end := t.FilePieces(i); p < end; p++ {
			if !have.Test(uint(p)) {
				from := max(file.Offset, int64(p)*t.PieceLength)
				lacking += min(file.Offset+file.Length, int64(p)*t.PieceLength+t.PieceSize(p)) - from
			}
		}
		total += max(0, min(lacking, file.Length-f.blocks[i]))
	}
	return total
}

func noRoom(need, free int64) error {
	return fmt.Errorf("not enough room for the download: %s needed, %s free: %w",
		humanize.IBytes(uint64(need)), humanize.IBytes(uint64(free)), world.ErrFull)
}

// emptyFiles are the files of no length that are not there.
func (f *found) emptyFiles(t *metainfo.Torrent) (files []int) {
	for i, s := range f.stamps {
		if file := t.Files[i]; !file.Padding && file.Length == 0 && s == absent {
			files = append(files, i)
		}
	}
	return files
}
