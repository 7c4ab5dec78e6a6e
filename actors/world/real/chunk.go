package real

import (
	"slices"
	"sync"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

const (
	// chunkLen is about how many bytes one write takes: 16 full blocks with their
	// headers, and some frames without payload between them.
	chunkLen = 16*(buffer.Size+16) + 1<<10
	// controlLen is the same for writes without payload.
	controlLen = 4 << 10
)

// chunk is the memory for one write. A link borrows one while it writes.
type chunk struct {
	room int
	buf  []byte
	gaps []gap

	bufs   [][]byte // for one call of ReadBlocks
	answer chan error
	done   func(error) // puts its argument into answer

	now  func(fd uintptr) bool // writes what the socket takes at once
	sent int                   // bytes that it took
}

// gap is where the payload of a block goes in a chunk.
type gap struct {
	source     messages.BlockSource
	offset     int64
	start, end int
}

var (
	chunks   = sync.Pool{New: func() any { return newChunk(chunkLen) }}
	controls = sync.Pool{New: func() any { return newChunk(controlLen) }}
)

func newChunk(room int) *chunk {
	c := &chunk{room: room, buf: make([]byte, 0, room), answer: make(chan error, 1)}
	c.done = func(err error) { c.answer <- err }
	c.now = func(fd uintptr) bool {
		c.sent = writeNow(fd, c.buf)
		return true
	}
	return c
}

// lay encodes frames of out into the chunk, as many as fit but at least one if
// the chunk is empty, leaves gaps for their payload, and returns how many
// frames it took.
func (c *chunk) lay(out []messages.Outgoing) int {
	for i, o := range out {
		size := frameRoom*max(1, len(o.Haves)) + len(o.Bits) + len(o.Tail)
		if o.Kind == frame.Piece {
			size += int(o.Length)
		}
		if len(c.buf) > 0 && len(c.buf)+size > c.room {
			return i
		}
		c.buf = appendHeader(c.buf, &o)
		if o.Kind == frame.Piece {
			start := len(c.buf)
			c.buf = slices.Grow(c.buf, int(o.Length))[:start+int(o.Length)]
			c.gaps = append(c.gaps, gap{o.Source, o.Offset, start, len(c.buf)})
		}
	}
	return len(out)
}

// appendHeader appends all of o but its payload.
func appendHeader(dst []byte, o *messages.Outgoing) []byte {
	switch {
	case o.Tail != nil:
		f := o.Frame
		f.Bits = slices.Concat(o.Bits, o.Tail)
		return frame.AppendHeader(dst, f)
	case o.Haves == nil:
		return frame.AppendHeader(dst, o.Frame)
	}
	for _, piece := range o.Haves {
		dst = frame.AppendHeader(dst, frame.Frame{Kind: frame.Have, Index: piece})
	}
	return dst
}

// frameRoom is more than the length of any frame without Bits and payload.
const frameRoom = 20

// fill reads the payload into the gaps; neighbouring blocks are read in one
// call.
func (c *chunk) fill() error {
	for rest := c.gaps; len(rest) > 0; {
		first, end := rest[0], rest[0].offset
		c.bufs = c.bufs[:0]
		for len(rest) > 0 && rest[0].source == first.source && rest[0].offset == end {
			c.bufs = append(c.bufs, c.buf[rest[0].start:rest[0].end])
			end += int64(rest[0].end - rest[0].start)
			rest = rest[1:]
		}
		first.source.ReadBlocks(c.bufs, first.offset, c.done)
		if err := <-c.answer; err != nil {
			return err
		}
	}
	return nil
}

func (c *chunk) giveBack(to *sync.Pool) {
	if c.reset() {
		to.Put(c)
	}
}

// reset makes the chunk ready for another link, and tells whether it is worth
// keeping.
func (c *chunk) reset() bool {
	clear(c.gaps[:cap(c.gaps)])
	clear(c.bufs[:cap(c.bufs)])
	c.buf, c.gaps, c.bufs = c.buf[:0], c.gaps[:0], c.bufs[:0]
	return cap(c.buf) <= chunkLen && cap(c.gaps) <= keepQueue
}
