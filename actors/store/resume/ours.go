package resume

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/files"
	"kouzui/messages"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

// ErrForeign: a name that a download would write to, replace or move belongs to
// something that is not the torrent's. It is an fs.ErrExist.
var ErrForeign error = foreign{}

type foreign struct{}

func (foreign) Error() string        { return "exists already and does not belong to this torrent" }
func (foreign) Is(target error) bool { return target == fs.ErrExist }

// inTheWay is an ErrForeign that is also a messages.ErrInTheWay.
type inTheWay struct{ foreign }

func (inTheWay) Is(target error) bool {
	return target == fs.ErrExist || target == ErrForeign || target == messages.ErrInTheWay
}

// InTheWay is the error that path belongs to what is never overwritten.
func InTheWay(path string) error { return fmt.Errorf("%s: %w", path, inTheWay{}) }

// path is where a name of the folder is, as the user would write it.
func (f *Found) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// Foreign is the error that name is not the torrent's.
func (f *Found) Foreign(name string) error { return fmt.Errorf("%s: %w", f.path(name), ErrForeign) }

// Ours is nil if a download may write to the data and rename it, once the data
// is checked; else it tells what is foreign. A name proves nothing.
func (f *Found) Ours(have, blank, filled *bitset.BitSet) error {
	if !f.ours(have, blank) {
		return f.Foreign(f.Base)
	}
	if name := f.stranger(have, filled); name != "" {
		return f.Foreign(name)
	}
	return nil
}

// stranger is the first file that is not the torrent's among others that are,
// "" if there is none. Without a journal it is told by its content alone. Other
// clients write blocks of pieces, in any order, into files that are zeros,
// holes or short where nothing was written yet. So a file is a stranger's if no
// piece in it is right, and
//   - one that lies wholly in it is wrong though none of its blocks is missing,
//     or
//   - it ends early and within a block.
//
// Of a file in its full length that no piece lies wholly in, nothing can be
// told: it is taken for the torrent's.
func (f *Found) stranger(have, filled *bitset.BitSet) string {
	t := f.torrent
	if f.journal != nil || len(t.Files) == 1 {
		return ""
	}
	for i := range t.Files {
		file, s := &t.Files[i], f.Stamps[i]
		if s.Size <= 0 {
			continue
		}
		right, wrong := false, false
		for p, end := t.FilePieces(i); p < end; p++ {
			from := int64(p) * t.PieceLength
			inside := from >= file.Offset && from+t.PieceSize(p) <= file.Offset+file.Length
			right = right || have.Test(uint(p))
			wrong = wrong || inside && filled.Test(uint(p))
		}
		cut := s.Size < file.Length && (file.Offset+s.Size)%t.PieceLength%frame.BlockSize != 0
		if !right && (wrong || cut) {
			return files.NameIn(t, f.Base, i)
		}
	}
	return ""
}

// ours tells whether the data as a whole is the torrent's. It is if
//   - all of it is right, or there is none,
//   - a piece of it is right, or
//   - its journal lies beside it, unless that tells of right pieces, there are
//     none, and no file is as the journal says (as it is where only the side
//     file was deleted).
//
// Zeros are no proof, as they are in many files. But nothing is lost if zeros
// are all that a file for partial data holds. blank are the pieces that a check
// has found to be zeros. Beside the journal of another torrent, data is that
// torrent's.
func (f *Found) ours(have, blank *bitset.BitSet) bool {
	switch {
	case !f.exists || have.All() || f.empty(blank):
		return true
	case errors.Is(f.unread, errOtherJournal):
		return false
	case f.journal != nil && (!f.tells(f.journal.Verified) || f.untouched()):
		return true
	}
	return f.journal != nil && f.tells(have) || f.proven(have)
}

// untouched tells whether a file that has bytes is as the journal says.
func (f *Found) untouched() bool {
	for i := range f.torrent.Files {
		if f.Stamps[i].Size > 0 && f.journal.vouches(i, f.Stamps[i]) {
			return true
		}
	}
	return false
}

// tells tells whether any of these pieces is more than padding, which is right
// without any data.
func (f *Found) tells(pieces *bitset.BitSet) bool {
	for i := range pieces.EachSet() {
		if !f.torrent.OnlyPadding(int(i)) {
			return true
		}
	}
	return false
}

// empty tells whether the data has no bytes or, if it is partial, only zeros.
func (f *Found) empty(blank *bitset.BitSet) bool {
	for i := range f.torrent.Files {
		if f.Stamps[i].Size <= 0 {
			continue
		}
		for p, end := f.torrent.FilePieces(i); p < end; p++ {
			if f.Named() || !blank.Test(uint(p)) {
				return false
			}
		}
	}
	return true
}

// proven tells whether a verified piece is anything but zeros.
func (f *Found) proven(have *bitset.BitSet) bool {
	zeros := map[int64]metainfo.Hash{}
	for i := range have.EachSet() {
		size := f.torrent.PieceSize(int(i))
		sum, known := zeros[size]
		if !known {
			sum = hashOfZeros(size)
			zeros[size] = sum
		}
		if f.torrent.PieceHash(int(i)) != sum {
			return true
		}
	}
	return false
}

func hashOfZeros(size int64) (sum metainfo.Hash) {
	var some [1 << 16]byte
	h := sha1.New()
	for ; size > 0; size -= int64(len(some)) {
		h.Write(some[:min(size, int64(len(some)))])
	}
	h.Sum(sum[:0])
	return sum
}

// Claimed tells whether the journal beside the data is this torrent's.
func (f *Found) Claimed() bool { return f.journal != nil }

// Barred tells whether the name of the journal is that of a file of another
// kind.
func (f *Found) Barred() bool { return errors.Is(f.unread, errNoJournal) }
