// Package storetest is for tests of the store and its parts: torrents with
// their content, and a folder that counts what is open.
package storetest

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"testing"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// Sample is a torrent with its content.
type Sample struct {
	*metainfo.Torrent
	Content []byte
}

// New makes a torrent of random content; one length means a single file.
func New(tb testing.TB, pieceLength int64, lengths ...int64) *Sample {
	tb.Helper()
	s := &Sample{}
	spec := metainfo.Spec{Name: "data", PieceLength: pieceLength, Single: len(lengths) == 1}
	for i, n := range lengths {
		f := metainfo.FileSpec{Path: []string{fmt.Sprintf("dir%d", i%3), fmt.Sprintf("file%d", i)}, Length: n}
		if spec.Single {
			f.Path = nil
		}
		spec.Files = append(spec.Files, f)
		s.Content = append(s.Content, make([]byte, n)...)
	}
	fill(s.Content, uint64(len(lengths))<<32+uint64(pieceLength))
	s.Name(tb, spec)
	return s
}

// Of makes a torrent of content in one file.
func Of(tb testing.TB, pieceLength int64, content []byte) *Sample {
	tb.Helper()
	s := &Sample{Content: content}
	s.Name(tb, metainfo.Spec{
		Name: "data", PieceLength: pieceLength, Single: true, Files: []metainfo.FileSpec{{Length: int64(len(content))}},
	})
	return s
}

// Name gives the content the names in spec.
func (s *Sample) Name(tb testing.TB, spec metainfo.Spec) {
	tb.Helper()
	spec.Pieces = hashes(s.Content, spec.PieceLength)
	raw, err := metainfo.Encode(spec)
	if err != nil {
		tb.Fatal(err)
	}
	if s.Torrent, err = metainfo.Parse(raw); err != nil {
		tb.Fatal(err)
	}
}

// fill makes content that looks random, the same for the same seed
// (xorshift64*).
func fill(content []byte, seed uint64) {
	var word [8]byte
	for x := seed + 1; len(content) > 0; content = content[copy(content, word[:]):] {
		x ^= x >> 12
		x ^= x << 25
		x ^= x >> 27
		binary.LittleEndian.PutUint64(word[:], x*0x2545f4914f6cdd1d)
	}
}

func hashes(content []byte, pieceLength int64) (sums []byte) {
	for off := int64(0); off < int64(len(content)); off += pieceLength {
		sum := sha1.Sum(content[off:min(off+pieceLength, int64(len(content)))])
		sums = append(sums, sum[:]...)
	}
	return sums
}

// Padded makes a torrent of files of random content, and of padding (BEP 47)
// where a length is negative.
func Padded(tb testing.TB, pieceLength int64, lengths ...int64) *Sample {
	tb.Helper()
	s := &Sample{}
	spec := metainfo.Spec{Name: "data", PieceLength: pieceLength}
	for i, n := range lengths {
		f := metainfo.FileSpec{Path: []string{fmt.Sprintf("file%d", i)}, Length: max(n, -n), Padding: n < 0}
		at := len(s.Content)
		s.Content = append(s.Content, make([]byte, f.Length)...)
		if !f.Padding {
			fill(s.Content[at:], uint64(i))
		}
		spec.Files = append(spec.Files, f)
	}
	s.Name(tb, spec)
	return s
}

// Bytes are those of a block.
func (s *Sample) Bytes(b messages.Block) []byte {
	off := int64(b.Piece)*s.PieceLength + int64(b.Begin)
	return s.Content[off : off+int64(b.Length)]
}

// Blocks are those of a piece, as requests cut it.
func (s *Sample) Blocks(piece int) (blocks []messages.Block) {
	size := s.PieceSize(piece)
	for begin := int64(0); begin < size; begin += buffer.Size {
		blocks = append(blocks, messages.Block{Piece: uint32(piece), Begin: uint32(begin), Length: uint32(min(buffer.Size, size-begin))})
	}
	return blocks
}
