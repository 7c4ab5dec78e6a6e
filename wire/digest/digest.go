// Package digest computes the SHA-1 of several pieces side by side.
//
// A single SHA-1 cannot use the width of a processor's vector registers,
// because each of its 80 rounds depends on the one before. Eight pieces can be
// hashed together, each in one lane of the registers. From Least pieces on that
// is faster than one after the other. A Hasher computes fewer pieces one after
// the other, and so does it with all pieces if there is no kernel for the
// processor.
package digest

import (
	"crypto/sha1"
	"encoding"
	"encoding/binary"
	"hash"
)

// Lanes is how many pieces a Hasher takes.
const Lanes = 8

const (
	chunk = sha1.BlockSize
	// step is how many bytes a kernel reads of each lane in one call: a goroutine
	// cannot be preempted inside a kernel.
	step = 8 << 10
)

// Least is the number of pieces from which on computing them side by side is
// faster; if it never is, more than Lanes.
func Least() int { return quickest.least }

// Hasher computes the hashes of up to Lanes pieces. It is for one goroutine at
// a time, and allocates nothing.
type Hasher struct {
	// The hash value of a piece is either in its column of lanes or in alone.
	// alone does all but whole chunks: the rest of a chunk, the padding, and
	// pieces that are too few for the lanes.
	lanes lanes
	alone [Lanes]state
	wide  [Lanes]bool   // it is in lanes
	size  [Lanes]uint64 // of the piece so far, in bytes

	kernel kernel

	data [Lanes][]byte // during Write
	from [Lanes]*byte
	raw  [stateSize]byte
	sum  [sha1.Size]byte
}

// New makes a Hasher all of whose pieces are empty.
func New() *Hasher { return newHasher(quickest) }

func newHasher(k kernel) *Hasher {
	h := &Hasher{kernel: k}
	for i := range h.alone {
		h.alone[i] = newState()
	}
	return h
}

// Reset makes all pieces empty.
func (h *Hasher) Reset() {
	for i := range h.alone {
		h.alone[i].Reset()
		h.wide[i], h.size[i] = false, 0
	}
}

// Write adds data[i] to the end of piece i, for at most Lanes pieces. They may
// differ in length; what all have in common is quick.
func (h *Hasher) Write(data ...[]byte) {
	for i := range data {
		h.data[i] = data[i]
		if over := h.size[i] % chunk; over > 0 { // a chunk has been begun
			h.writeAlone(i, min(len(data[i]), int(chunk-over)))
		}
	}
	for h.writeTogether() {
	}
	for i := range data {
		h.writeAlone(i, len(h.data[i]))
		h.data[i] = nil
	}
	clear(h.from[:])
}

// writeTogether hashes one step of all pieces that have a whole chunk left, if
// they are enough, and tells whether it did.
func (h *Hasher) writeTogether() bool {
	n, together := step, 0
	var some *byte
	for _, data := range h.data {
		if len(data) >= chunk {
			n = min(n, len(data)&^(chunk-1))
			some = &data[0]
			together++
		}
	}
	if together < h.kernel.least {
		return false
	}
	for i, data := range h.data {
		if len(data) >= chunk {
			h.enter(i)
			h.size[i] += uint64(n)
			h.from[i], h.data[i] = &data[0], data[n:]
		} else { // its lane repeats the work of another one, and the result is not used
			h.leave(i)
			h.from[i] = some
		}
	}
	h.kernel.blocks(&h.lanes, &h.from, n/chunk)
	return true
}

func (h *Hasher) writeAlone(i, n int) {
	if n > 0 {
		h.leave(i)
		h.alone[i].Write(h.data[i][:n])
		h.size[i] += uint64(n)
		h.data[i] = h.data[i][n:]
	}
}

// Sum is the hash of piece i so far; more can be added to the piece afterwards.
func (h *Hasher) Sum(i int) [sha1.Size]byte {
	h.leave(i)
	h.alone[i].Sum(h.sum[:0])
	return h.sum
}

// AppendState appends the state of piece i to a slice. Resume goes on from it.
func (h *Hasher) AppendState(i int, to []byte) ([]byte, error) {
	h.leave(i)
	return h.alone[i].AppendBinary(to)
}

// Resume sets piece i to a state that AppendState returned after a number of
// bytes; it may also come from crypto/sha1.
func (h *Hasher) Resume(i int, bytes int64, state []byte) error {
	h.wide[i], h.size[i] = false, uint64(bytes)
	return h.alone[i].UnmarshalBinary(state)
}

// state is a SHA-1 of crypto/sha1. Between two chunks it is encoded as 4 bytes
// that identify the format, the hash value, an empty chunk, and the size.
type state interface {
	hash.Hash
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

const stateSize = 4 + sha1.Size + chunk + 8

func newState() state { return sha1.New().(state) }

// enter moves the hash value of a piece, which is between two chunks, to the
// lanes.
func (h *Hasher) enter(i int) {
	if h.wide[i] {
		return
	}
	h.wide[i] = true
	h.alone[i].AppendBinary(h.raw[:0])
	for j := range h.lanes.value {
		h.lanes.value[j][i] = binary.BigEndian.Uint32(h.raw[4+4*j:])
	}
}

// leave moves it back to alone.
func (h *Hasher) leave(i int) {
	if !h.wide[i] {
		return
	}
	h.wide[i] = false
	h.alone[i].AppendBinary(h.raw[:0])
	for j := range h.lanes.value {
		binary.BigEndian.PutUint32(h.raw[4+4*j:], h.lanes.value[j][i])
	}
	binary.BigEndian.PutUint64(h.raw[stateSize-8:], h.size[i])
	h.alone[i].UnmarshalBinary(h.raw[:])
}
