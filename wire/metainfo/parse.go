package metainfo

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/anacrolix/torrent/bencode"

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
// left out with a warning. Its error is always an *Error.
func Parse(raw []byte) (*Torrent, error) {
	if len(raw) > MaxTorrent {
		return nil, &Error{NotBencode, fmt.Sprintf("A .torrent of %d bytes is more than the %d that are taken.", len(raw), MaxTorrent)}
	}
	outer, n, err := readDict(raw)
	if err != nil {
		return nil, err
	}
	info, ok := outer["info"]
	if !ok {
		return nil, refuse("The torrent has no info dictionary.")
	}
	t, err := ParseInfo(info)
	if err != nil {
		return nil, err
	}
	if n < len(raw) {
		t.warn("%d bytes after the end of the torrent are left out.", len(raw)-n)
	}
	t.Announce = t.tiers(outer)
	t.Comment = Clean(firstText(outer, "comment.utf-8", "comment"), maxText)
	t.CreatedBy = Clean(firstText(outer, "created by"), maxText)
	const year10000 = 253402300800
	if s, ok := outer.Int("creation date"); ok && s > 0 && s < year10000 {
		t.CreationDate = time.Unix(s, 0).UTC()
	}
	return t, nil
}

// ParseInfo reads an info dictionary alone, in which form peers send it (BEP
// 9); the Torrent has no trackers and no comment. It keeps info, which must not
// be changed afterwards. Its error is always an *Error.
func ParseInfo(info []byte) (*Torrent, error) {
	d, n, err := readDict(info)
	if err != nil {
		return nil, err
	}
	if n != len(info) {
		return nil, refuse("The info dictionary has %d bytes too many.", len(info)-n)
	}
	t := &Torrent{InfoHash: sha1.Sum(info), info: info}
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
	return t, nil
}

func readDict(raw []byte) (dict.Dict, int, error) {
	d, n, err := dict.Read(raw, dict.Limits{Keys: maxKeys, Values: maxValues})
	switch {
	case errors.Is(err, dict.ErrNotDict):
		return nil, 0, refuse("The torrent or its info is not a dictionary.")
	case err != nil:
		return nil, 0, &Error{NotBencode, fmt.Sprintf("This is not a torrent: %s.", Clean(err.Error(), shownText))}
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
		return refuse("The piece hashes are %d bytes, which is no multiple of %d.", len(pieces), sha1.Size)
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
		return refuse("%d bytes in pieces of %d need %d piece hashes, and there are %d.", t.Length, t.PieceLength, need, have)
	}
	t.pieces = pieces
	return nil
}

// readFiles reads the list of files, or the one file, and adds up the content.
func (t *Torrent) readFiles(d dict.Dict) error {
	if _, multi := d["files"]; !multi {
		t.Single = true
		t.Files = []File{{Path: []string{t.Name}}}
		if original := firstText(d, "name.utf-8", "name"); original != t.Name {
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
		f.Padding = true
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

// tiers reads the trackers: the announce-list if it has any that can be used,
// else announce alone (BEP 12).
func (t *Torrent) tiers(outer dict.Dict) [][]string {
	var tiers [][]string
	seen := make(map[string]bool)
	add := func(tier []bencode.Bytes) (room bool) {
		var urls []string
		room = true
		for _, raw := range tier {
			s, _ := dict.Text(raw)
			s = strings.TrimSpace(s)
			if s == "" || seen[s] {
				continue
			}
			if room = len(seen) < MaxTrackers; !room {
				t.warn("Trackers beyond the first %d are left out.", MaxTrackers)
				break
			}
			seen[s] = true
			if reason := unusable(s); reason != "" {
				t.warn("The tracker %q is left out: %s.", MaskURL(s), reason)
				continue
			}
			urls = append(urls, s)
		}
		if len(urls) > 0 {
			tiers = append(tiers, urls)
		}
		return room
	}
	list, _ := outer.List("announce-list", maxTiers)
	for _, raw := range list {
		tier, ok := dict.List(raw, maxTiers)
		if !ok { // some makers write a flat list
			tier = []bencode.Bytes{raw}
		}
		if !add(tier) {
			break
		}
	}
	if len(tiers) == 0 {
		add([]bencode.Bytes{outer["announce"]})
	}
	return tiers
}

// unusable is the reason why s is not the URL of a tracker, or "".
func unusable(s string) string {
	if len(s) > maxURL {
		return "the address is too long"
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "it is not a URL"
	case !slices.Contains([]string{"http", "https", "udp"}, u.Scheme):
		return "its protocol is not supported"
	case u.Hostname() == "":
		return "it names no host"
	}
	return ""
}

// firstText returns the first non-empty string among the values of keys.
func firstText(d dict.Dict, keys ...string) string {
	for _, key := range keys {
		if s, _ := d.Text(key); s != "" {
			return s
		}
	}
	return ""
}

func (t *Torrent) warn(format string, args ...any) {
	switch n := len(t.Warnings); {
	case n < maxWarnings:
		t.Warnings = append(t.Warnings, fmt.Sprintf(format, args...))
	case n == maxWarnings:
		t.Warnings = append(t.Warnings, "Further warnings are left out.")
	}
}
