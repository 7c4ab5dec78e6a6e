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

// Digest computes hashes of payload (SHA-1, BEP 3), which is given block by
// block, each as it lies in its buffer.
type Digest interface {
	// One hashes a piece, and can be interrupted.
	One() Hash
	// Many hashes up to digest.Lanes pieces side by side.
	Many() Hashes
	// Sum is the hash of one block.
	Sum(block []byte) metainfo.Hash
	// Blank tells whether a block is as it reads where nothing was written: zeros.
	Blank(block []byte) bool
}

// Hash is one hash. Its state can be kept.
type Hash interface {
	hash.Hash
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// Hashes are several, as in digest.Hasher.
type Hashes interface {
	Reset()
	Write(blocks ...[]byte)
	Sum(i int) [sha1.Size]byte
}

// SHA1 is the Digest of payload that is there.
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
