package frame

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"kouzui/wire/buffer"
)

const (
	// maxExpect is for how many frames Buffers offers slices, two for each: well
	// below the 1024 slices that readv takes. It also limits how many frames of a
	// few bytes one read can bring.
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
// The caller reads into the slices that Buffers offers, and Advance parses what
// was read. The slices are laid out for Piece frames of buffer.Size. If such
// frames arrive, the block that was read into becomes the frame's own; if
// others arrive, payload is copied into another block, and the next slices are
// laid out anew. The parsed frames depend neither on this guess nor on how the
// stream is cut into reads.
//
// Besides what it hands over, a decoder holds the blocks for which Buffers was
// last asked, one block for the frame being read, and about 16 KiB (256 KiB if
// flat). Rest gives back all of this but the block of the frame. Between two
// calls the decoder takes no more memory than a small multiple of the bytes
// that have arrived.
type Decoder struct {
	pool   *buffer.Pool
	limits Limits
	flat   bool
	err    error // sticky

	// The frame being read: as much of its head as has arrived, then either a body
	// to be filled or bytes to be skipped.
	head     [maxHead]byte
	headLen  int
	headNeed int // bytes of head that are needed to know how to go on
	frame    Frame
	body     []byte // the part of the frame's Block or Bits that is still to come
	skip     int

	*room // nil after Rest
}

// room is the memory of the last offer of Buffers: perhaps a lead, which is the
// rest of a frame that was not guessed; then a head and a block for each of
// blocks; then the rest of scratch. A block that has become a frame's own is
// nil from then on. Nothing in room is kept from one read to the next.
type room struct {
	iov     [][]byte
	lead    int // 0 or 1
	blocks  []*buffer.Block
	heads   []byte
	scratch []byte
}

var rooms = sync.Pool{New: func() any {
	return &room{heads: make([]byte, maxExpect*pieceHead), scratch: make([]byte, scratchLen)}
}}

// NewDecoder makes a decoder that takes its blocks from pool.
func NewDecoder(pool *buffer.Pool, limits Limits, opts Options) *Decoder {
	return &Decoder{
		pool:     pool,
		limits:   limits,
		flat:     opts.Flat,
		headNeed: prefixLen,
	}
}

// Buffers offers the slices to read into next, in this order, none of them
// empty. expect is how many Piece frames with a payload of buffer.Size are
// expected next, counting one that has arrived in part: usually the number of
// requests under way. Buffers may offer room for fewer. With 0 no spare block
// is held.
//
// The slices are valid until the next call of any method. There are none after
// an error.
func (d *Decoder) Buffers(expect int) [][]byte {
	if d.err != nil {
		return nil
	}
	if d.room == nil {
		d.enter()
	}
	d.iov, d.lead = d.iov[:0], 0
	expect = min(max(expect, 0), maxExpect)
	if d.flat {
		if expect > 0 && len(d.scratch) < flatScratch {
			d.scratch = make([]byte, flatScratch)
		}
		d.iov = append(d.iov, d.scratch)
		return d.iov
	}

	arrived, tail := 0, d.scratch // how much of the head of the first expected frame has arrived; what to offer behind the last block
	switch {
	case len(d.body) > 0:
		d.iov = append(d.iov, d.body)
		if d.frame.Kind == Piece {
			expect = max(expect-1, 0)
		}
	case d.skip > 0:
		n := min(d.skip, len(tail))
		d.iov, tail = append(d.iov, tail[:n]), tail[n:]
	case d.headLen > prefixLen && d.frame.Kind != Piece:
		n := d.headNeed - d.headLen
		d.iov, tail = append(d.iov, tail[:n]), tail[n:]
	default:
		arrived = d.headLen
	}
	d.lead = len(d.iov)

	d.hold(expect)
	for i, b := range d.blocks {
		head := d.heads[i*pieceHead:][:pieceHead]
		d.iov = append(d.iov, head[arrived:], b.Bytes())
		arrived = 0
	}
	if len(tail) > 0 {
		d.iov = append(d.iov, tail)
	}
	return d.iov
}

// hold makes sure that the decoder holds exactly n blocks to offer. It uses
// those that are left.
func (d *Decoder) hold(n int) {
	d.blocks = slices.DeleteFunc(d.blocks, func(b *buffer.Block) bool { return b == nil })
	have := len(d.blocks)
	if have > n {
		d.pool.ReleaseAll(d.blocks[n:])
		d.blocks = d.blocks[:n]
		return
	}
	d.blocks = slices.Grow(d.blocks, n-have)[:n]
	d.pool.GetN(d.blocks[have:])
}

// Advance parses the first n bytes of what Buffers offered, and appends the
// frames that are now complete to out. The caller owns their blocks. An error
// is a *ProtocolError of the peer, and final; the frames before it are valid.
func (d *Decoder) Advance(n int, out []Frame) ([]Frame, error) {
	if d.room == nil {
		if n > 0 && d.err == nil {
			panic("frame: Advance without Buffers")
		}
		return out, d.err
	}
	for i, p := range d.iov {
		if n == 0 || d.err != nil {
			break
		}
		p = p[:min(n, len(p))]
		n -= len(p)

		next := noBlock
		if slot := (i - d.lead) / 2; i >= d.lead && (i-d.lead)%2 == 0 && slot < len(d.blocks) {
			next = slot
		}
		out = d.parse(p, next, out)
	}
	if n > 0 && d.err == nil {
		panic("frame: Advance by more than Buffers offered")
	}
	clear(d.iov)
	d.iov = d.iov[:0]
	return out, d.err
}

// noBlock says that the bytes being parsed do not end at the beginning of a
// block.
const noBlock = -1

// parse parses the bytes of p, behind which the bytes of blocks[next] follow.
func (d *Decoder) parse(p []byte, next int, out []Frame) []Frame {
	for len(p) > 0 && d.err == nil {
		var n int
		switch {
		case len(d.body) > 0:
			n = min(len(d.body), len(p))
			if &d.body[0] != &p[0] { // it was read into another place
				copy(d.body, p)
			}
			d.body = d.body[n:]
			if len(d.body) == 0 {
				out = d.finish(out)
			}
		case d.skip > 0:
			n = min(d.skip, len(p))
			d.skip -= n
			if d.skip == 0 {
				out = d.finish(out)
			}
		default:
			n = copy(d.head[d.headLen:d.headNeed], p)
			d.headLen += n
			if d.headLen == d.headNeed {
				if n == len(p) {
					out = d.headed(next, out)
				} else {
					out = d.headed(noBlock, out)
				}
			}
		}
		p = p[n:]
	}
	return out
}

// headed goes on when headNeed bytes of the head have arrived: first the
// prefix, then the id, then the whole head. A payload that begins at the start
// of blocks[next] stays there.
func (d *Decoder) headed(next int, out []Frame) []Frame {
	length := binary.BigEndian.Uint32(d.head[:])
	switch d.headNeed {
	case prefixLen:
		if length == 0 {
			d.frame.Kind = KeepAlive
			return d.finish(out)
		}
		d.headNeed += idLen
		return out
	case prefixLen + idLen:
		d.frame.Kind = Kind(d.head[prefixLen])
		if d.err = d.limits.check(d.frame.Kind, length); d.err != nil {
			return out
		}
		if !d.limits.skips(d.frame.Kind) {
			d.headNeed += forms[d.frame.Kind].fields
		}
		if d.headLen < d.headNeed {
			return out
		}
	}
	d.open(int(length)-(d.headNeed-prefixLen), next)
	if len(d.body) == 0 && d.skip == 0 {
		out = d.finish(out)
	}
	return out
}

// open begins the body, of n bytes, of a frame whose head is complete, and
// allocates memory for it.
func (d *Decoder) open(n, next int) {
	kind := d.frame.Kind
	if d.limits.skips(kind) {
		d.frame.Length, d.skip = uint32(n), n
		return
	}
	d.frame = parseHead(kind, d.head[prefixLen+idLen:d.headNeed])
	switch {
	case !forms[kind].body:
	case kind == Piece:
		d.frame.Length = uint32(n)
		if next == noBlock {
			d.frame.Block = d.pool.Fit(n)
		} else {
			d.frame.Block, d.blocks[next] = d.blocks[next], nil
			d.frame.Block.SetLen(n)
		}
		d.body = d.frame.Block.Bytes()
	default:
		d.frame.Bits = make([]byte, n)
		d.body = d.frame.Bits
	}
}

// finish appends the frame, which is complete, to out, and prepares for the
// next one.
func (d *Decoder) finish(out []Frame) []Frame {
	if d.frame.Kind == Bitfield {
		if d.err = d.limits.checkBits(d.frame.Bits); d.err != nil {
			return out
		}
	}
	out = append(out, d.frame)
	d.frame, d.body, d.headLen, d.headNeed = Frame{}, nil, 0, prefixLen
	return out
}

// Midway tells whether a frame has arrived in part.
func (d *Decoder) Midway() bool { return d.headLen > 0 }

// enter takes the memory for a read from the pool. A flat decoder, whose
// scratch may grow, has its own.
func (d *Decoder) enter() {
	if d.flat {
		d.room = &room{scratch: make([]byte, scratchLen)}
	} else {
		d.room = rooms.Get().(*room)
	}
}

// Rest gives back the memory of the last offer when nothing has arrived: a
// connection may be silent for long.
func (d *Decoder) Rest() {
	if d.room == nil {
		return
	}
	d.hold(0)
	clear(d.iov)
	d.iov = d.iov[:0]
	if !d.flat {
		rooms.Put(d.room)
	}
	d.room = nil
}

// Close releases the blocks that the decoder holds. Afterwards Buffers offers
// nothing.
func (d *Decoder) Close() {
	d.Rest()
	if d.frame.Block != nil {
		d.frame.Block.Release()
	}
	d.frame, d.body = Frame{}, nil
	if d.err == nil {
		d.err = errClosed
	}
}
