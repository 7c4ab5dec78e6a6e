package metainfo

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"kouzui/wire/metainfo/dict"
)

const (
	maxValues   = 1 << 23 // of bencode in a .torrent: a hybrid spends about 16 a file
	maxKeys     = 1 << 10 // of the outer, the info and each file's dictionary
	maxTiers    = 1 << 16 // of an announce-list, and of URLs in a tier, before those beyond MaxTrackers are left out
	maxWarnings = 100
	maxText     = 4096 // bytes kept of a comment
	maxURL      = 2048 // bytes of an announce URL
	shownText   = 120  // bytes of a name or URL quoted in a sentence
)

// Parse reads a .torrent. Keys may come in any order; unknown keys, and values
// of the wrong type that are not needed, are ignored; bytes after the end are
// left out with a warning, and so are white space and a byte order mark at the
// start. Its error is always an *Error.
func Parse(raw []byte) (*Torrent, error) {
	if len(raw) > MaxTorrent {
		return nil, &Error{NotBencode, fmt.Sprintf("A .torrent of %d bytes is more than the %d that are taken.", len(raw), MaxTorrent)}
	}
	whole := len(raw)
	raw = bytes.TrimLeft(raw, blank) // an editor or a server has put it there
	outer, n, err := readDict(raw)
	if err != nil {
		return nil, err
	}
	info, ok := outer["info"]
	if !ok {
		return nil, withoutInfo(outer)
	}
	names := charsetOf(outer)
	t, err := parseInfo(info, names)
	if err != nil {
		return nil, err
	}
	if len(raw) < whole {
		t.warn("White space or a byte order mark before the torrent is left out.")
	}
	if n < len(raw) {
		t.warn("What follows the end of the torrent is left out: %s.", count(int64(len(raw)-n), "byte"))
	}
	t.Announce = t.tiers(outer)
	t.WebSeeds = t.webSeeds(outer)
	t.readUnsupported(outer)
	t.Comment = Clean(names.first(outer, "comment.utf-8", "comment"), maxText)
	t.CreatedBy = Clean(names.first(outer, "created by"), maxText)
	const year10000 = 253402300800
	s, _ := outer.Int("creation date")
	if s >= year10000 { // some makers count milliseconds
		s /= 1000
	}
	if s > 0 && s < year10000 {
		t.CreationDate = time.Unix(s, 0).UTC()
	}
	return t, nil
}

// ParseInfo reads an info dictionary alone, in which form peers send it (BEP
// 9); the Torrent has no trackers and no comment. It keeps info, which must not
// be changed afterwards. Its error is always an *Error.
func ParseInfo(info []byte) (*Torrent, error) { return parseInfo(info, charset{}) }

// parseInfo is ParseInfo for text in the encoding of names; some makers say in
// the info dictionary which one that is.
func parseInfo(info []byte, names charset) (*Torrent, error) {
	d, n, err := readDict(info)
	if err != nil {
		return nil, err
	}
	if n != len(info) {
		return nil, refuse("The info dictionary has %s too many.", count(int64(len(info)-n), "byte"))
	}
	t := &Torrent{InfoHash: sha1.Sum(info), info: info}
	if t.names = names; names == (charset{}) {
		t.names = charsetOf(d)
	}
	private, _ := d.Int("private")
	if text, is := d.Text("private"); is && text != "" && text != "0" { // some makers write a string
		private = 1
	}
	t.Private = private != 0
	// First is told what the user can do nothing about but find another torrent.
	if err := t.readVersion(d); err != nil {
		return nil, err
	}
	if err := t.readName(d); err != nil {
		return nil, err
	}
	length, ok := d.Int("piece length")
	if !ok || length <= 0 || length > MaxPieceLength {
		return nil, refuse("The piece length must be from 1 to %d bytes.", MaxPieceLength)
	}
	t.PieceLength = length
	if err := t.readFiles(d); err != nil {
		return nil, err
	}
	if err := t.readPieces(d); err != nil {
		return nil, err
	}
	t.names = charset{}
	return t, nil
}

func readDict(raw []byte) (dict.Dict, int, error) {
	d, n, err := dict.Read(raw, dict.Limits{Keys: maxKeys, Values: maxValues})
	switch {
	case errors.Is(err, dict.ErrNotDict):
		return nil, 0, refuse("The torrent or its info is not a dictionary.")
	case err != nil:
		return nil, 0, &Error{NotBencode, "This is not a torrent: " + diagnose(raw, err) + "."}
	}
	return d, n, nil
}

// readVersion refuses a torrent that has no version 1 half.
func (t *Torrent) readVersion(d dict.Dict) error {
	version, said := d.Int("meta version")
	_, tree := d["file tree"]
	_, pieces := d["pieces"]
	switch {
	case !tree && (!said || version < 2):
	case !pieces && said && version > 2:
		return refuse("This is a torrent of version %d, which is not supported. Look for one of version 1 with the same content.", version)
	case !pieces:
		return refuse("This is a torrent of version 2 only (BEP 52), which is not supported yet. Look for a version 1 or a hybrid torrent of the same content.")
	default:
		t.Unsupported = append(t.Unsupported, "Version 2 of the format (BEP 52) is not supported yet: of this hybrid torrent, the version 1 half is used.")
	}
	return nil
}

// readPieces reads the piece hashes, and compares their number with the length
// of the content.
func (t *Torrent) readPieces(d dict.Dict) error {
	pieces, ok := d.Bytes("pieces")
	if !ok {
		return refuse("The torrent has no piece hashes.")
	}
	if len(pieces)%sha1.Size != 0 {
		return refuse("The piece hashes have %s, which is no multiple of %d.", count(int64(len(pieces)), "byte"), sha1.Size)
	}
	need := t.Length / t.PieceLength
	if t.Length%t.PieceLength != 0 {
		need++
	}
	have := int64(len(pieces) / sha1.Size)
	if have > MaxPieces {
		return refuse("%d pieces are more than the %d that are taken.", have, MaxPieces)
	}
	if have != need {
		return refuse("Content of %s in pieces of %d needs %s, and the torrent has %d.", count(t.Length, "byte"), t.PieceLength, count(need, "piece hash"), have)
	}
	t.pieces = pieces
	return nil
}

// readFiles reads the list of files, or the one file, and adds up the content.
func (t *Torrent) readFiles(d dict.Dict) error {
	if _, multi := d["files"]; !multi {
		t.Single = true
		t.Files = []File{{Path: []string{t.Name}}}
		if original := t.names.first(d, "name.utf-8", "name"); original != t.Name {
			t.Files[0].Original = []string{original}
		}
		attr, _ := d.Text("attr")
		t.Files[0].Executable = strings.Contains(attr, "x")
		return t.place(&t.Files[0], d)
	}
	list, _ := d.List("files", MaxFiles)
	if len(list) == 0 {
		return refuse("The files are not a list of 1 to %d files.", MaxFiles)
	}
	t.Files = make([]File, len(list))
	for i, raw := range list {
		f := &t.Files[i]
		in, _, err := readDict(raw)
		if err != nil {
			return refuse("File %d is not described by a dictionary.", i+1)
		}
		if err := t.readFile(f, i, in); err != nil {
			return err
		}
	}
	t.resolveLinks()
	t.separate(local)
	return nil
}

// readFile reads file i of several.
func (t *Torrent) readFile(f *File, i int, d dict.Dict) error {
	attr, _ := d.Text("attr")
	if strings.Contains(attr, "p") {
		f.Padding, t.padded = true, true
		if err := t.place(f, d); err != nil {
			return err
		}
		f.Path = []string{".pad", strconv.FormatInt(f.Length, 10)} // BEP 47; the torrent may have none
		return nil
	}
	if err := t.readPath(f, i, d); err != nil {
		return err
	}
	if strings.Contains(attr, "l") { // any length is ignored, which may be missing
		f.Offset = t.Length
		t.readLink(i, d)
		return nil
	}
	f.Executable = strings.Contains(attr, "x")
	if err := t.place(f, d); err != nil {
		return err
	}
	f.Padding = t.bitCometPadding(f)
	t.padded = t.padded || f.Padding
	return nil
}

// bitCometPadding tells whether f, the last file so far, is one of those with
// which BitComet aligned files before BEP 47. A file by such a name that aligns
// nothing is taken for content.
func (t *Torrent) bitCometPadding(f *File) bool {
	return strings.HasPrefix(f.Path[len(f.Path)-1], "_____padding_file_") && f.Length < t.PieceLength && t.Length%t.PieceLength == 0
}

// place reads the length of the next file, which follows the content so far.
func (t *Torrent) place(f *File, d dict.Dict) error {
	length, ok := d.Int("length")
	if !ok || length < 0 {
		return refuse("A file has no length, or one below 0.")
	}
	if length > math.MaxInt64-t.Length {
		return refuse("The lengths of the files add up to more than any disk holds.")
	}
	f.Length, f.Offset = length, t.Length
	t.Length += length
	return nil
}

// count returns a number and what it is of, in the plural unless it is 1.
func count(n int64, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "h"):
		noun += "es"
	default:
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

func (t *Torrent) warn(format string, args ...any) {
	switch n := len(t.Warnings); {
	case n < maxWarnings:
		t.Warnings = append(t.Warnings, fmt.Sprintf(format, args...))
	case n == maxWarnings:
		t.Warnings = append(t.Warnings, "Further warnings are left out.")
	}
}
