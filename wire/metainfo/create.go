package metainfo

import "time"

// Spec says what Encode writes.
type Spec struct {
	Name         string
	Files        []FileSpec // a Single one has exactly one, whose Path is not written
	Single       bool
	PieceLength  int64
	Pieces       []byte     // the SHA-1 sums of all pieces, end to end
	Announce     [][]string // BEP 12 tiers; the first URL also becomes "announce"
	Private      bool
	Comment      string
	CreatedBy    string
	CreationDate time.Time // left out if zero
}

// FileSpec is one file to describe: Path relative to the torrent's folder, Length in bytes.
type FileSpec struct {
	Path   []string
	Length int64
}

// Encode makes a .torrent, and refuses with the error of Parse whatever Parse would refuse or change.
func Encode(s Spec) ([]byte, error) { return nil, nil }

// ChoosePieceLength returns a power of two from 16 KiB to 16 MiB that cuts total bytes into about 1,000 to 2,000 pieces.
func ChoosePieceLength(total int64) int64 { return 1 << 14 }
