package real

import (
	"errors"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

const (
	// chunkLen is about how much one write takes: 16 full blocks with their
	// headers, and some control frames between them.
	chunkLen = 16*(buffer.Size+16) + 1<<10
	// controlLen is the same for frames that carry no payload.
	controlLen = 1 << 10
	// keepQueue is the room that an empty queue may keep, in frames.
	keepQueue = 64
	// writeTimeout is how long the peer may take nothing of what we write.
	writeTimeout = 2 * time.Minute
)

func (l *link) SendHandshake(h frame.Handshake) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason == nil {
		l.greeting = h.Append(nil)
		l.wake()
	}
}

// Send keeps the order of the frames, those with and those without payload
// alike. The queue's bound is with the caller.
func (l *link) Send(out []messages.Outgoing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason != nil || len(out) == 0 {
		return
	}
	for _, o := range out {
		o.Bits = slices.Clone(o.Bits)
		l.queue = append(l.queue, o)
	}
	l.wake()
}

// wake sees that a writer runs, with the lock held.
func (l *link) wake() {
	if !l.writing {
		l.writing = true
		go l.write()
	}
}

// write runs until nothing is queued or the link is closed.
func (l *link) write() {
	var taken []messages.Outgoing
	for {
		var greeting []byte
		if greeting, taken = l.take(taken); len(greeting)+len(taken) == 0 {
			return
		}
		if err := l.writeAll(greeting, taken); err != nil {
			if hungUp(err) {
				return // and l.writing stays: what is queued from now on is for nobody
			}
			l.Close(cause(err))
		}
	}
}

// take returns all that is queued, and gives the queue the room of what was
// taken before.
func (l *link) take(used []messages.Outgoing) (greeting []byte, taken []messages.Outgoing) {
	clear(used)
	l.mu.Lock()
	defer l.mu.Unlock()
	greeting, taken = l.greeting, l.queue
	l.greeting, l.queue = nil, used[:0]
	if len(greeting)+len(taken) == 0 {
		l.writing = false
		if cap(used) > keepQueue {
			l.queue = nil
		}
	}
	return greeting, taken
}

// hungUp tells whether err says that the peer has closed the connection. What
// it sent before may still wait in the socket, so the end is left to the
// reader to find, which then finds it without fail.
func hungUp(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

func (l *link) writeAll(greeting []byte, out []messages.Outgoing) error {
	lend := &controls
	if slices.ContainsFunc(out, func(o messages.Outgoing) bool { return o.Kind == frame.Piece }) {
		lend = &chunks
	}
	c := lend.Get().(*chunk)
	defer func() {
		if c.reset() {
			lend.Put(c)
		}
	}()
	c.buf = append(c.buf, greeting...)
	for len(out) > 0 || len(c.buf) > 0 {
		select {
		case <-l.closed:
			return errClosed
		default:
		}
		out = out[c.lay(out):]
		if err := c.fill(); err != nil {
			return err
		}
		if err := writeWithin(l.conn, c.buf, writeTimeout); err != nil {
			return err
		}
		if len(c.gaps) > 0 {
			l.emit(&messages.FramesSent{Link: l.id, At: time.Now(), Payload: c.payload(), Pieces: len(c.gaps)})
		}
		c.buf, c.gaps = c.buf[:0], c.gaps[:0]
	}
	return nil
}

// writeWithin fails when the peer has taken nothing for so long, however slow
// it is otherwise.
func writeWithin(conn net.Conn, b []byte, patience time.Duration) error {
	for {
		if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		n, err := conn.Write(b)
		if n == len(b) || n == 0 || cause(err) != errTimedOut {
			return err
		}
		b = b[n:]
	}
}

// chunk is what goes into one write. It is lent while a link writes.
type chunk struct {
	room int
	buf  []byte
	gaps []gap

	bufs   [][]byte // for one call of ReadBlocks
	answer chan error
	done   func(error) // puts its argument into answer
}

// gap is the place of a block's payload in a chunk.
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
	return c
}

// lay puts as many frames of out into the chunk as have room there, but at
// least one if it is empty, leaves the gaps for the payload, and returns how
// many frames these were.
func (c *chunk) lay(out []messages.Outgoing) int {
	for i, o := range out {
		size := frameRoom + len(o.Bits)
		if o.Kind == frame.Piece {
			size += int(o.Length)
		}
		if len(c.buf) > 0 && len(c.buf)+size > c.room {
			return i
		}
		c.buf = frame.AppendHeader(c.buf, o.Frame)
		if o.Kind == frame.Piece {
			start := len(c.buf)
			c.buf = slices.Grow(c.buf, int(o.Length))[:start+int(o.Length)]
			c.gaps = append(c.gaps, gap{o.Source, o.Offset, start, len(c.buf)})
		}
	}
	return len(out)
}

// frameRoom is more than a frame has in bytes besides Bits and payload.
const frameRoom = 20

// fill reads the payload into the gaps, contiguous blocks in one call.
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

func (c *chunk) payload() int {
	n := 0
	for _, g := range c.gaps {
		n += g.end - g.start
	}
	return n
}

// reset makes the chunk ready for another link, and tells whether it is worth
// keeping.
func (c *chunk) reset() bool {
	clear(c.gaps[:cap(c.gaps)])
	clear(c.bufs[:cap(c.bufs)])
	c.buf, c.gaps, c.bufs = c.buf[:0], c.gaps[:0], c.bufs[:0]
	return cap(c.buf) <= chunkLen && cap(c.gaps) <= keepQueue
}
