// Package resume finds out which data is on disk when a store starts, and which
// pieces of it can be trusted without hashing them: because the journal of an
// earlier run vouches for them, or because an earlier store of this run knew
// them.
package resume

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/files"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// ErrForeign: data under the torrent's name is not the torrent's, and a
// download would overwrite it. It is an fs.ErrExist.
var ErrForeign error = foreign{}

type foreign struct{}

func (foreign) Error() string        { return "exists already and does not belong to this torrent" }
func (foreign) Is(target error) bool { return target == fs.ErrExist }

// Found is what is on disk when a store starts.
type Found struct {
	Base   string           // name of the data, or the name that a download will give it
	Stamps []messages.Stamp // of each file; of a padding file files.Absent

	torrent *metainfo.Torrent
	exists  bool     // something has the name Base
	blocks  []int64  // bytes that each file takes on disk
	strange string   // the first name that is not that of a regular file, or is that of a file that is too long
	journal *Journal // nil: none
}

// Look looks for the data of a torrent: under its final name, or else under the
// name of partial data.
func Look(folder world.Folder, t *metainfo.Torrent) (*Found, error) {
	f := &Found{
		Base: t.PartName(), torrent: t, blocks: make([]int64, len(t.Files)),
		Stamps: slices.Repeat([]messages.Stamp{files.Absent}, len(t.Files)),
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
		f.Base, f.exists = name, true
		if !t.Single && !info.Mode.IsDir() {
			f.strange = name
			return f, nil
		}
		return f, f.inspect(folder)
	}
	return f, nil
}

func (f *Found) inspect(folder world.Folder) error {
	t := f.torrent
	for i := range t.Files {
		if t.Files[i].Padding {
			continue
		}
		name := files.NameIn(t, f.Base, i)
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
			f.Stamps[i], f.blocks[i] = info.Stamp, info.Allocated
			if info.Allocated < 0 {
				f.blocks[i] = info.Size
			}
		}
	}
	return nil
}

// Plan returns the pieces that are verified and those that have to be hashed.
// With mustExist, as for a seed, it is an error if the data does not exist.
func (f *Found) Plan(mode messages.CheckMode, mustExist bool) (have *bitset.BitSet, check []int, err error) {
	t := f.torrent
	have = bitset.New(uint(t.PieceCount()))
	switch {
	case !f.exists && mustExist:
		return nil, nil, fmt.Errorf("%s: %w", t.Name, fs.ErrNotExist)
	case !f.exists:
		return have, nil, nil
	case f.strange != "" && !mustExist:
		return nil, nil, fmt.Errorf("%s: %w", f.strange, ErrForeign)
	}
	doubtful := f.doubtful(mode)
	for i := range t.PieceCount() {
		switch {
		case !f.covers(i):
		case doubtful.Test(uint(i)):
			check = append(check, i)
		case f.journal != nil && f.journal.Verified.Test(uint(i)):
			have.Set(uint(i))
		}
	}
	return have, check, nil
}

// doubtful are the pieces for which the journal does not vouch.
func (f *Found) doubtful(mode messages.CheckMode) *bitset.BitSet {
	t := f.torrent
	pieces := bitset.New(uint(t.PieceCount()))
	switch {
	case mode == messages.CheckNone:
	case mode == messages.CheckFull || f.journal == nil:
		pieces.FlipRange(0, uint(t.PieceCount()))
	default:
		for i, s := range f.Stamps {
			if !f.journal.vouches(i, s) {
				SetPieces(pieces, t, i, true)
			}
		}
	}
	return pieces
}

// SetPieces sets or clears the pieces that a file has a part in.
func SetPieces(pieces *bitset.BitSet, t *metainfo.Torrent, file int, to bool) {
	for p, end := t.FilePieces(file); p < end; p++ {
		pieces.SetTo(uint(p), to)
	}
}

// covers tells whether the files are long enough to hold a piece.
func (f *Found) covers(piece int) bool {
	t := f.torrent
	var spans [8]metainfo.Span
	for _, s := range t.AppendPieceSpans(spans[:0], piece) {
		if !t.Files[s.File].Padding && f.Stamps[s.File].Size < s.Offset+s.Length {
			return false
		}
	}
	return true
}

// Ours tells whether a download may write to the data even if no piece of it is
// right: it has the name of partial data, or a journal, or it is empty.
func (f *Found) Ours() bool {
	if f.Base != f.torrent.Name || f.journal != nil {
		return true
	}
	for _, s := range f.Stamps {
		if s.Size > 0 {
			return false
		}
	}
	return true
}

// Named tells whether the data has its final name.
func (f *Found) Named() bool { return f.Base == f.torrent.Name }

// Full tells whether all files are there in their full length, also empty ones,
// which no piece is in.
func (f *Found) Full() bool {
	for i, s := range f.Stamps {
		if file := f.torrent.Files[i]; !file.Padding && s.Size != file.Length {
			return false
		}
	}
	return true
}

// Untold tells whether there is data but no journal.
func (f *Found) Untold() bool { return f.exists && f.journal == nil }

// Missing is how many bytes of the disk a download of the wanted pieces still
// needs: of each file what is not verified, but no more than what is not
// allocated yet.
func (f *Found) Missing(have, wanted *bitset.BitSet) int64 {
	t := f.torrent
	total := int64(0)
	for i, file := range t.Files {
		if file.Padding {
			continue
		}
		lacking := int64(0)
		for p, end := t.FilePieces(i); p < end; p++ {
			if !have.Test(uint(p)) && (wanted == nil || wanted.Test(uint(p))) {
				from := max(file.Offset, int64(p)*t.PieceLength)
				lacking += min(file.Offset+file.Length, int64(p)*t.PieceLength+t.PieceSize(p)) - from
			}
		}
		total += max(0, min(lacking, file.Length-f.blocks[i]))
	}
	return total
}

// EmptyFiles are the files of no length that do not exist.
func (f *Found) EmptyFiles() (empty []int) {
	for i, s := range f.Stamps {
		if file := f.torrent.Files[i]; !file.Padding && file.Length == 0 && s == files.Absent {
			empty = append(empty, i)
		}
	}
	return empty
}

// Recall returns the pieces that are verified and those that have to be hashed,
// going by what an earlier store of this run knew. The journal does not count
// here: it may be older than what this process has written. The content of a
// file is not known if its stamp differs from the one that the earlier store
// had (same compares two stamps), or if the file was cut short.
func (f *Found) Recall(before *messages.PiecesKnown, same func(a, b messages.Stamp) bool) (have *bitset.BitSet, check []int) {
	have = bitset.New(uint(f.torrent.PieceCount()))
	known := before.Known.Clone()
	for i := range before.Stamps {
		if !same(before.Stamps[i], f.Stamps[i]) {
			SetPieces(known, f.torrent, i, false)
		}
	}
	for i := range uint(f.torrent.PieceCount()) {
		covered := f.covers(int(i))
		have.SetTo(i, known.Test(i) && covered && before.Have.Test(i))
		if covered && !known.Test(i) {
			check = append(check, int(i))
		}
	}
	return have, check
}
