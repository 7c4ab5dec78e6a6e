package scheduler

import (
	"kouzui/messages"
	"kouzui/wire/frame"
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
