package world

import (
	"bytes"
	"crypto/sha1"
	"encoding"
	"hash"

	"kouzui/wire/buffer"
	"kouzui/wire/digest"
	"kouzui/wire/metainfo"
)

// Digest computes SHA-1 hashes of payload (BEP 3). Payload is given in blocks,
// each of which is the content of one buffer.
type Digest interface {
	// One returns a hash of one piece, whose state can be saved and restored.
	One() Hash
	// Many returns hashes of up to digest.Lanes pieces, which are computed side by
	// side.
	Many() Hashes
	// Sum is the hash of one block.
	Sum(block []byte) metainfo.Hash
	// Blank tells whether a block is all zeros, as a file reads where nothing was
	// written.
	Blank(block []byte) bool
}

// Hash is the hash of one piece.
type Hash interface {
	hash.Hash
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// Hashes are several hashes side by side, as in digest.Hasher. The state of one
// of them is that of a Hash.
type Hashes interface {
	Reset()
	Write(blocks ...[]byte)
	Sum(i int) [sha1.Size]byte
	AppendState(i int, to []byte) ([]byte, error)
	Resume(i int, bytes int64, state []byte) error
}

// SHA1 is the Digest of payload that is held in memory, rather than described.
type SHA1 struct{}

// One implements Digest.
func (SHA1) One() Hash { return sha1.New().(Hash) }

// Many implements Digest.
func (SHA1) Many() Hashes { return digest.New() }

// Sum implements Digest.
func (SHA1) Sum(block []byte) metainfo.Hash { return sha1.Sum(block) }

var zeros [buffer.Size]byte

// Blank implements Digest.
func (SHA1) Blank(block []byte) bool { return bytes.Equal(block, zeros[:len(block)]) }
