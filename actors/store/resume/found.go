// Package resume finds out which data is on disk when a store starts, and which
// pieces of it can be trusted without hashing them: because the journal of an
// earlier run vouches for them, or because an earlier store of this run knew
// them.
package resume

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/files"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// Found is what is on disk when a store starts.
type Found struct {
	Base   string           // name of the data, or the name that a download will give it
	Stamps []messages.Stamp // of each file, the side file last; of a padding file files.Absent
	Layout *files.Layout    // with all files diverted that do not exist, if there is a side file

	dir     string // of the data, as the user wrote it
	torrent *metainfo.Torrent
	exists  bool     // something has the name Base
	blocks  []int64  // bytes that each file takes on disk
	bare    bool     // a link is missing, or a file that should be is not executable
	strange string   // the first name of no regular file, or of one that is too long
	stray   string   // a name in the folder of partial data that is not the torrent's
	journal *Journal // nil: none
	unread  error    // why there is no journal though its name is taken
}

// Look looks for the data of a torrent in dir: under its final name, or else
// under that of partial data.
func Look(folder world.Folder, dir string, t *metainfo.Torrent) (*Found, error) {
	f := &Found{
		Base: t.PartName(), dir: dir, torrent: t, blocks: make([]int64, len(t.Files)),
		Stamps: slices.Repeat([]messages.Stamp{files.Absent}, len(t.Files)+1), Layout: files.NewLayout(t),
	}
	f.journal, f.unread = readJournal(folder, t)
	if err := f.inspectData(folder); err != nil {
		return nil, err
	}
	return f, f.inspectSide(folder)
}

func (f *Found) inspectData(folder world.Folder) error {
	t := f.torrent
	for _, name := range []string{t.Name, t.PartName()} {
		info, err := folder.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		f.Base, f.exists = name, true
		if !t.Single && !info.Mode.IsDir() {
			f.strange = name
			return nil
		}
		if err := f.inspect(folder); err != nil {
			return err
		}
		if name == t.PartName() {
			f.stray, err = files.Stray(folder, t, name)
		}
		return err
	}
	return nil
}

// inspectSide looks for the side file. Without a journal nothing tells whether
// it is the torrent's: the check of the pieces in it does.
func (f *Found) inspectSide(folder world.Folder) error {
	t := f.torrent
	info, err := folder.Stat(t.SideName())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode.IsRegular():
		if f.strange == "" {
			f.strange = t.SideName()
		}
		return nil
	}
	absent := bitset.New(uint(len(t.Files)))
	for i := range t.Files {
		absent.SetTo(uint(i), f.Stamps[i] == files.Absent && !t.Files[i].Padding)
	}
	f.Stamps[len(t.Files)] = info.Stamp
	f.Layout = f.Layout.Divert(absent)
	return nil
}

func (f *Found) inspect(folder world.Folder) error {
	t := f.torrent
	for i := range t.Files {
		if t.Files[i].Padding {
			continue
		}
		name := files.NameIn(t, f.Base, i)
		info, err := folder.Stat(name)
		f.bare = f.bare || t.Files[i].Executable && err == nil && info.Mode&0o100 == 0
		switch {
		case t.Files[i].Link != "":
			f.bare = f.bare || err != nil
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, world.ErrNotFolder):
			if f.strange == "" {
				f.strange = above(folder, name)
			}
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

// above is the name above name that should be a folder and is something else.
func above(folder world.Folder, name string) string {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, err := folder.Stat(dir); err == nil {
			return dir
		}
	}
	return name
}

// Plan says which pieces are verified, and which have to be hashed to know. The
// data must exist if it is to be seeded. What a download would overwrite or
// move and is certainly not the torrent's is an error; of that, force allows
// what is not lost by it.
func (f *Found) Plan(mode messages.CheckMode, mustExist, force bool) (have *bitset.BitSet, check []int, err error) {
	t := f.torrent
	have = bitset.New(uint(t.PieceCount()))
	switch {
	case mustExist && !f.exists:
		return nil, nil, fmt.Errorf("%s: %w", f.path(t.Name), fs.ErrNotExist)
	case mustExist:
	case f.strange != "":
		return nil, nil, InTheWay(f.path(f.strange))
	case force:
	case errors.Is(f.unread, errNoJournal):
		return nil, nil, f.Foreign(t.JournalName())
	case f.exists && !f.Named() && errors.Is(f.unread, errOtherJournal):
		return nil, nil, fmt.Errorf("%w: %w", f.Foreign(f.Base), f.unread)
	case f.stray != "":
		return nil, nil, fmt.Errorf("%w, and would be moved with the data", f.Foreign(f.stray))
	}
	doubtful := f.doubtful(mode)
	for i := range t.PieceCount() {
		switch {
		case !f.covers(i):
		case doubtful.Test(uint(i)):
			check = append(check, i)
		case f.journal != nil && f.journal.Verified.Test(uint(i)):
			have.Set(uint(i))
		case mode != messages.CheckNone && t.OnlyPadding(i): // it needs no file
			check = append(check, i)
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
				f.Layout.SetPieces(pieces, i, true)
			}
		}
	}
	return pieces
}

// covers tells whether the files are long enough to hold a piece.
func (f *Found) covers(piece int) bool {
	var spans [8]metainfo.Span
	for _, s := range f.Layout.AppendPieceSpans(spans[:0], piece) {
		if !f.Layout.Padding(s.File) && f.Stamps[s.File].Size < s.Offset+s.Length {
			return false
		}
	}
	return true
}

// Named tells whether the data has its final name.
func (f *Found) Named() bool { return f.Base == f.torrent.Name }

// Full tells whether all files are there in their full length, also empty ones,
// which no piece is in, with their attributes, and all links.
func (f *Found) Full() bool {
	if f.bare {
		return false
	}
	for i, file := range f.torrent.Files {
		if !file.Padding && file.Link == "" && f.Stamps[i].Size != file.Length {
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
	for i, file := range f.torrent.Files {
		if !file.Padding && file.Link == "" && file.Length == 0 && f.Stamps[i] == files.Absent {
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
			f.Layout.SetPieces(known, i, false)
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
