// Package metainfo reads, checks and writes .torrent files (BEP 3, with the
// tracker tiers of BEP 12, the web seeds of BEP 19, the private flag of BEP 27
// and the padding, links and executable files of BEP 47), and says which bytes
// of which file a piece is made of. Names in an old encoding are decoded if the
// torrent names the encoding.
//
// Use: [Parse] turns the bytes of a .torrent into a [Torrent], [ParseInfo] does
// so for an info dictionary alone, as a magnet link's peers send it (BEP 9);
// [Torrent.AppendSpans] maps a range of the content onto files; [Encode] makes
// a .torrent, and [Draft] tells beforehand what would be read of it.
//
// What Parse accepts is safe to use: every path stays inside the torrent's own
// folder and is a name that the running system can create, no two files have
// the same path, the lengths add up, and the pieces cover the content exactly.
// What could lead out of the folder is refused; what is merely odd is made safe
// and reported in Torrent.Warnings.
//
// Limits: only version 1 of the format (of a hybrid its version 1 half); the
// Max constants.
package metainfo

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"time"
)

// Limits of what Parse accepts. They are far above what real torrents need, and
// limit what a hostile file can cost.
const (
	MaxTorrent     = 64 << 20 // bytes of a .torrent
	MaxPieceLength = 1 << 30  // bytes of a piece
	MaxPieces      = 1 << 22
	MaxFiles       = 500_000
	MaxPathDepth   = 64   // parts of a path
	MaxPathPart    = 255  // bytes of a part: what common file systems take; longer ones are shortened
	MaxPath        = 2048 // bytes of a path with its separators; longer ones are refused
	MaxTrackers    = 256  // announce URLs over all tiers; the rest are left out with a warning
	MaxWebSeeds    = 32   // likewise; each is an actor and may be a connection
)

// Hash is a SHA-1 sum: an info hash or the hash of a piece.
type Hash [sha1.Size]byte

// String returns the hash as 40 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads 40 hexadecimal digits of either case.
func ParseHash(s string) (h Hash, err error) {
	if len(s) != 2*len(h) {
		return Hash{}, fmt.Errorf("a hash has %d hexadecimal digits, not %d", 2*len(h), len(s))
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, fmt.Errorf("not a hash: %w", err)
	}
	return h, nil
}

// Torrent is a checked .torrent. It is immutable.
type Torrent struct {
	InfoHash    Hash
	Name        string // made safe: one path part
	PieceLength int64  // bytes of every piece but the last; any size over 0, not only powers of two
	Length      int64  // bytes of content over all files, padding included
	Files       []File // in the order of the content, never empty
	Single      bool   // one file named Name, with no folder of its own

	Announce [][]string // BEP 12 tiers; no empty tier, no URL twice, all as TrackerURL returns them; Supported leaves those that can be asked
	Private  bool       // BEP 27: peers from these trackers only
	WebSeeds []string   // BEP 19; no URL twice, all as WebSeedURL returns them

	// Unsupported is what the torrent has and this client does not use, one
	// sentence each.
	Unsupported []string

	Comment, CreatedBy string    // free of control characters, shortened
	CreationDate       time.Time // UTC; zero if absent
	Warnings           []string  // what was odd and how it was made safe, one sentence each

	names  charset       // of names and links, while they are read
	links  map[int]*link // by index of the file; nil: none
	padded bool          // a file is padding
	info   []byte        // the info dictionary as it came
	pieces []byte        // the part of info that is the piece hashes, end to end
}

// File is one file of a torrent's content.
type File struct {
	Path     []string // safe parts, relative to Torrent.Root; never empty
	Original []string // the parts as the torrent has them, decoded if they can be (else any bytes!), if Path differs from them; else nil
	Length   int64
	Offset   int64 // of the file's first byte within the content
	// Padding: zeros that align the next file (BEP 47, or BitComet's), or a link
	// that was left out, which has no bytes. Part of the pieces, never created.
	Padding    bool
	Executable bool // BEP 47: users may run it
	// Link is what a symbolic link (BEP 47) leads to, always in the torrent: a
	// path relative to the folder of the link, with slashes, such as
	// "../lib/a.so". "" if the file is no link; a link has no bytes.
	Link string
}

// Root is the folder that the paths of Files are relative to: Name, or "" for a
// single file.
func (t *Torrent) Root() string {
	if t.Single {
		return ""
	}
	return t.Name
}

// Info returns the raw info dictionary, whose SHA-1 is InfoHash: what BEP 9
// sends to peers. Not to be changed.
func (t *Torrent) Info() []byte { return t.info }

// PieceCount is the number of pieces, 0 if all files are empty.
func (t *Torrent) PieceCount() int { return len(t.pieces) / sha1.Size }

// PieceHash returns the hash that piece i must have.
func (t *Torrent) PieceHash(i int) Hash {
	return Hash(t.pieces[i*sha1.Size:])
}

// PieceSize is the length of piece i in bytes: PieceLength, save that the last
// piece may be shorter.
func (t *Torrent) PieceSize(i int) int64 {
	return min(t.PieceLength, t.Length-int64(i)*t.PieceLength)
}

// Code is the kind of an Error.
type Code int

const (
	NotBencode Code = iota + 1 // the bytes are not bencode at all, or more than MaxTorrent
	BadTorrent                 // bencode, but no torrent that is safe and whole
)

// Error is why Parse refuses: one clear sentence, free of control characters.
type Error struct {
	Code Code
	Msg  string
}

func (e *Error) Error() string { return e.Msg }

func refuse(format string, args ...any) *Error {
	return &Error{Code: BadTorrent, Msg: fmt.Sprintf(format, args...)}
}
