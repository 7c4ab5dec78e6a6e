package metainfo

import (
	"crypto/sha1"
	"math"
	"slices"
	"time"

	"github.com/anacrolix/torrent/bencode"
)

// Spec is the content of a .torrent that Encode writes.
type Spec struct {
	Name         string
	Files        []FileSpec // a Single one has exactly one, whose Path is not written
	Single       bool
	PieceLength  int64
	Pieces       []byte     // the SHA-1 sums of all pieces, end to end
	Announce     [][]string // BEP 12 tiers; the first URL also becomes "announce"
	WebSeeds     []string   // BEP 19
	Private      bool
	Comment      string
	CreatedBy    string
	Source       string    // makes the info hash another one: for trackers that demand so
	CreationDate time.Time // left out if zero
}

// FileSpec is one file to describe: Path relative to the torrent's folder,
// Length in bytes.
type FileSpec struct {
	Path       []string
	Length     int64
	Executable bool
	Padding    bool     // zeros that align the next file
	Link       []string // of a symbolic link: its target, relative to the torrent's folder
}

// dict returns the entry of a file, attributes (BEP 47) included; path is left
// out of that of a single file.
func (f *FileSpec) dict(into map[string]any) map[string]any {
	into["length"] = f.Length
	switch {
	case f.Link != nil:
		into["attr"], into["symlink path"] = "l", f.Link
	case f.Padding:
		into["attr"] = "p"
	case f.Executable:
		into["attr"] = "x"
	}
	return into
}

// Encode makes a .torrent. It refuses, with an *Error, whatever Parse would
// refuse or would have to make safe.
func Encode(s Spec) ([]byte, error) {
	raw, err := s.encode()
	if err != nil {
		return nil, err
	}
	t, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	if len(t.Warnings) > 0 {
		return nil, &Error{BadTorrent, t.Warnings[0]}
	}
	return raw, nil
}

// EncodeInfo makes a .torrent of an info dictionary, as peers have sent it (BEP
// 9), of tracker tiers and of web seeds.
func EncodeInfo(info []byte, announce [][]string, webSeeds []string) ([]byte, error) {
	outer := map[string]any{"info": bencode.Bytes(info)}
	addTrackers(outer, announce)
	addWebSeeds(outer, webSeeds)
	return marshal(outer)
}

// Draft is what a reader would make of s, whose Pieces are not looked at:
// before anything is hashed, it tells what Encode would refuse. Files are in
// the order of s. Its error is always an *Error.
func Draft(s Spec) (*Torrent, error) {
	var total int64
	for _, f := range s.Files {
		total += min(max(f.Length, 0), math.MaxInt64-s.PieceLength-total) // Parse refuses more
	}
	if s.PieceLength > 0 {
		n := min((total+s.PieceLength-1)/s.PieceLength, MaxPieces+1)
		s.Pieces = make([]byte, n*sha1.Size)
	}
	raw, err := s.encode()
	if err != nil {
		return nil, err
	}
	return Parse(raw)
}

func (s *Spec) encode() ([]byte, error) {
	info := map[string]any{"name": s.Name, "piece length": s.PieceLength, "pieces": string(s.Pieces)}
	switch {
	case s.Single && len(s.Files) != 1:
		return nil, refuse("A torrent of a single file has %d files.", len(s.Files))
	case s.Single:
		s.Files[0].dict(info)
	default:
		files := make([]map[string]any, len(s.Files))
		for i, f := range s.Files {
			files[i] = f.dict(map[string]any{"path": f.Path})
		}
		info["files"] = files
	}
	if s.Private {
		info["private"] = 1
	}
	if s.Source != "" {
		info["source"] = s.Source
	}
	outer := map[string]any{"info": info}
	for key, text := range map[string]string{"comment": s.Comment, "created by": s.CreatedBy} {
		if text != "" {
			outer[key] = text
		}
	}
	if !s.CreationDate.IsZero() {
		outer["creation date"] = s.CreationDate.Unix()
	}
	addTrackers(outer, s.Announce)
	addWebSeeds(outer, s.WebSeeds)
	return marshal(outer)
}

func addTrackers(outer map[string]any, announce [][]string) {
	if urls := slices.Concat(announce...); len(urls) > 0 {
		outer["announce"] = urls[0]
		if len(urls) > 1 {
			outer["announce-list"] = announce
		}
	}
}

func addWebSeeds(outer map[string]any, urls []string) {
	if len(urls) > 0 {
		outer["url-list"] = urls
	}
}

func marshal(outer map[string]any) ([]byte, error) {
	raw, err := bencode.Marshal(outer)
	if err != nil {
		return nil, refuse("The torrent cannot be written: %s.", err)
	}
	return raw, nil
}

// ChoosePieceLength returns a power of two from 16 KiB to 16 MiB that cuts
// total bytes into 1,000 to 2,000 pieces, or as near to that as these bounds
// allow.
func ChoosePieceLength(total int64) int64 {
	const smallest, largest, pieces = 16 << 10, 16 << 20, 2000
	length := int64(smallest)
	for length < largest && total > pieces*length {
		length *= 2
	}
	return length
}
