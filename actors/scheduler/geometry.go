package scheduler

import (
	"kouzui/messages"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

// BlockSize is the length of every block but a piece's last, in bytes: what
// all clients ask for, and the most that many answer (BEP 3).
const BlockSize = frame.BlockSize

// geometry cuts a torrent into pieces and blocks. Pieces have any length, not
// only multiples of BlockSize.
type geometry struct {
	length      int64 // bytes of the torrent
	pieceLength int64 // bytes of every piece but the last
	pieces      int
	padding     map[uint32][]run // blocks that are zeros, by piece; nil: none
}

// run is some blocks of a piece, from first up to but not including end.
type run struct{ first, end int }

func newGeometry(t *metainfo.Torrent) geometry {
	g := geometry{length: t.Length, pieceLength: t.PieceLength, pieces: t.PieceCount()}
	next := 0 // piece to be looked at; many files may lie in one
	for i := range t.Files {
		first, end := t.FilePieces(i)
		if !t.Files[i].Padding || end <= next {
			continue
		}
		next = end
		g.addPadding(t, first)
		if end-1 > first { // pieces between are nothing but padding
			g.addPadding(t, end-1)
		}
	}
	return g
}

func (g *geometry) addPadding(t *metainfo.Torrent, piece int) {
	var runs []run
	for first, end := range t.PaddingBlocks(piece, BlockSize) {
		runs = append(runs, run{first, end})
	}
	if runs == nil {
		return
	}
	if g.padding == nil {
		g.padding = map[uint32][]run{}
	}
	g.padding[uint32(piece)] = runs
}

// padded is how many bytes of a piece are blocks of padding.
func (g geometry) padded(piece uint32) (bytes int64) {
	for _, r := range g.padding[piece] {
		bytes += min(int64(r.end)*BlockSize, g.size(piece)) - int64(r.first)*BlockSize
	}
	return bytes
}

// size is the length of a piece in bytes.
func (g geometry) size(piece uint32) int64 {
	return min(g.pieceLength, g.length-int64(piece)*g.pieceLength)
}

// blocks is how many blocks a piece has.
func (g geometry) blocks(piece uint32) int {
	return int((g.size(piece) + BlockSize - 1) / BlockSize)
}

// block is the i-th block of a piece.
func (g geometry) block(piece, i uint32) messages.Block {
	begin := int64(i) * BlockSize
	return messages.Block{
		Piece:  piece,
		Begin:  uint32(begin),
		Length: uint32(min(BlockSize, g.size(piece)-begin)),
	}
}
