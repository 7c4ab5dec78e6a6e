package resume

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"io/fs"
	"slices"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/files"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

// Journal says which pieces were verified and how the files looked then. It
// lies beside the data and is a hint: a file that looks different now is
// checked, and without a journal all are.
//
// On disk: the magic line, the info hash, the piece length, the number of
// files, with the side file if there is one, for each of them its size (-1:
// there is none), when its content and when anything about it was changed last,
// the number of pieces, a bit for each piece as in a bitfield (BEP 3), and the
// SHA-1 of all that. Numbers are 8 bytes, big-endian.
type Journal struct {
	Stamps   []messages.Stamp // the side file last; ID does not count: some systems give files new ones
	Verified *bitset.BitSet
}

const journalMagic = "kouzui journal 2\n"

var (
	errJournal      = errors.New("the journal is damaged or of another format")
	errOtherJournal = errors.New("the journal is that of another torrent")
	errNoJournal    = errors.New("no regular file, or too long for a journal")
)

// vouches tells whether a file that looks like now has not changed since the
// journal was written.
func (j Journal) vouches(file int, now messages.Stamp) bool {
	now.ID = 0
	return j.Stamps[file] == now
}

// journalSize is how long the journal of a torrent is, in bytes, with so many
// stamps.
func journalSize(t *metainfo.Torrent, stamps int) int {
	return len(journalMagic) + sha1.Size + 8 + 8 + 24*stamps + 8 + (t.PieceCount()+7)/8 + sha1.Size
}

// Claim is the journal of which nothing is known yet but that the data is the
// torrent's.
func Claim(t *metainfo.Torrent) []byte {
	return Journal{Stamps: slices.Repeat([]messages.Stamp{files.Absent}, len(t.Files)), Verified: bitset.New(0)}.Encode(t)
}

// Encode returns the journal as it is on disk.
func (j Journal) Encode(t *metainfo.Torrent) []byte {
	stamps := j.Stamps
	if side := len(t.Files); len(stamps) > side && stamps[side] == files.Absent {
		stamps = stamps[:side]
	}
	raw := make([]byte, 0, journalSize(t, len(stamps)))
	raw = append(raw, journalMagic...)
	raw = append(raw, t.InfoHash[:]...)
	raw = binary.BigEndian.AppendUint64(raw, uint64(t.PieceLength))
	raw = binary.BigEndian.AppendUint64(raw, uint64(len(stamps)))
	for _, s := range stamps {
		raw = binary.BigEndian.AppendUint64(raw, uint64(s.Size))
		raw = binary.BigEndian.AppendUint64(raw, uint64(s.Modified))
		raw = binary.BigEndian.AppendUint64(raw, uint64(s.Changed))
	}
	raw = binary.BigEndian.AppendUint64(raw, uint64(t.PieceCount()))
	bits := make([]byte, (t.PieceCount()+7)/8)
	for i := range j.Verified.EachSet() {
		frame.SetBit(bits, i)
	}
	raw = append(raw, bits...)
	sum := sha1.Sum(raw)
	return append(raw, sum[:]...)
}

// decodeJournal reads the journal of t from any bytes. It refuses what Encode
// would not have written.
func decodeJournal(t *metainfo.Torrent, raw []byte) (*Journal, error) {
	body := len(raw) - sha1.Size
	if body < len(journalMagic)+sha1.Size || !bytes.HasPrefix(raw, []byte(journalMagic)) ||
		sha1.Sum(raw[:body]) != [sha1.Size]byte(raw[body:]) {
		return nil, errJournal
	}
	rest := raw[len(journalMagic):body]
	if metainfo.Hash(rest[:sha1.Size]) != t.InfoHash {
		return nil, errOtherJournal
	}
	stamps := len(t.Files)
	if len(raw) == journalSize(t, stamps+1) {
		stamps++
	}
	if len(raw) != journalSize(t, stamps) {
		return nil, errJournal
	}
	rest = rest[sha1.Size:]
	next := func() int64 {
		v := binary.BigEndian.Uint64(rest)
		rest = rest[8:]
		return int64(v)
	}
	if next() != t.PieceLength || next() != int64(stamps) {
		return nil, errJournal
	}
	j := &Journal{Stamps: slices.Repeat([]messages.Stamp{files.Absent}, len(t.Files)+1), Verified: bitset.New(uint(t.PieceCount()))}
	for i := range stamps {
		j.Stamps[i] = messages.Stamp{Size: next(), Modified: next(), Changed: next()}
	}
	if next() != int64(t.PieceCount()) {
		return nil, errJournal
	}
	for i := range uint(len(rest)) * 8 {
		if !frame.HasBit(rest, i) {
			continue
		}
		if i >= uint(t.PieceCount()) {
			return nil, errJournal
		}
		j.Verified.Set(i)
	}
	return j, nil
}

// readJournal reads the journal in folder, nil if there is none.
// errOtherJournal means that the data is not this torrent's, errNoJournal that
// the file must not be replaced; after any other error all is to be checked.
func readJournal(folder world.Folder, t *metainfo.Torrent) (*Journal, error) {
	// The journal of another torrent may be longer than ours, and has to be read
	// whole to be recognised. No torrent that is accepted has a larger one.
	const largest = 16 << 20
	most := max(largest, int64(journalSize(t, len(t.Files)+1)))
	info, err := folder.Stat(t.JournalName())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode.IsRegular() || info.Size > most:
		return nil, errNoJournal
	}
	raw, err := folder.ReadFile(t.JournalName(), most)
	if err != nil {
		return nil, err
	}
	return decodeJournal(t, raw)
}
