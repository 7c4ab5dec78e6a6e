package real

import (
	"io"
	"slices"
	"sync"
	"time"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

const (
	// maxBatch is how many frames one message has at most.
	maxBatch = 512
	// keepBatch is for how many frames an idle batch may keep room. append makes
	// less than twice the room that the maxWindow frames of one read need.
	keepBatch = 2 * maxWindow
	// minWindow and maxWindow bound the blocks for which a reader offers room at a
	// time. In between room is offered for a small multiple of what the last read
	// brought, so that a slow peer does not occupy a window of blocks with each of
	// its packets.
	minWindow = 4
	maxWindow = 128
	// fastBytes in one read, with fastBlocks still to come, make a link a fast
	// one: its reader gathers before the next read, and what arrives meanwhile
	// costs one call and one message.
	fastBytes  = 32 << 10
	fastBlocks = 64
	// gatherBytes are what a reader waits for, half of what is still to come at
	// least, and gatherTime is how long it waits at most.
	gatherBytes = fastBlocks / 2 * buffer.Size
	gatherTime  = 2 * time.Millisecond
)

// reader is the state of the goroutine that reads a link.
type reader struct {
	link    *link
	socket  *socket
	decoder *frame.Decoder
	window  int       // blocks that offer may offer
	offered int       // bytes that the last offer had room for
	bufs    [][]byte  // the last offer
	last    time.Time // when the last batch was delivered
	slow    bool      // it came long after the one before
}

// slowAfter is the silence after which a connection is treated as slow.
const slowAfter = time.Second

// batches are lent to readers; a batch comes back with Done.
var batches = sync.Pool{New: func() any { return new(messages.FramesReceived) }}

// read starts the goroutine that reads until the link is closed or its stream
// ends.
func (l *link) read(limits frame.Limits) {
	r := &reader{
		link:    l,
		decoder: frame.NewDecoder(l.pool, limits, frame.Options{Flat: !scatter}),
		window:  minWindow,
		slow:    true,
	}
	r.socket = newSocket(l.conn, r)
	go r.run()
}

// run reads and delivers batches. When nothing more arrives on a slow
// connection, run hands over to a fresh goroutine that only waits: its stack is
// small, and there may be thousands of connections that stay silent for
// minutes.
func (r *reader) run() {
	err := r.socket.wait()
	for err == nil {
		err = r.batch()
	}
	if err == errSilent {
		go r.run()
		return
	}
	r.decoder.Close()
	r.link.Close(cause(err))
	r.link.emit(&messages.LinkClosed{Link: r.link.id, Err: r.link.why(err)})
}

// batch reads and delivers one batch.
func (r *reader) batch() error {
	if !r.credit() {
		return errClosed
	}
	var batch *messages.FramesReceived
	for batch == nil || len(batch.Frames) == 0 {
		n, readErr := r.socket.read()
		var frameErr error
		if n > 0 {
			if batch == nil {
				batch = batches.Get().(*messages.FramesReceived)
			}
			batch.Bytes += n
			r.link.decrypt(r.bufs, n)
			batch.Frames, frameErr = r.decoder.Advance(n, batch.Frames)
			r.adapt(n, len(batch.Frames))
		}
		switch {
		case frameErr != nil:
			r.hand(batch)
			return frameErr
		case readErr == errSilent:
			r.link.credits <- struct{}{}
			return errSilent
		case readErr == io.EOF && r.decoder.Midway():
			return io.ErrUnexpectedEOF
		case readErr != nil:
			return readErr
		}
	}
	fast := batch.Bytes >= fastBytes && r.link.expect.Load() >= fastBlocks
	if !r.hand(batch) {
		return errClosed
	}
	if fast {
		r.socket.gather()
	}
	return nil
}

// offer returns the memory to read into next.
func (r *reader) offer() [][]byte {
	blocks := min(int(r.link.expect.Load()), r.window)
	r.bufs = r.decoder.Buffers(blocks)
	r.offered = 0
	for _, b := range r.bufs {
		r.offered += len(b)
	}
	return r.bufs
}

// rest gives back the memory of the last offer, because nothing has arrived. It
// returns true if the wait may be long enough for a fresh goroutine, which it
// is not in the middle of a frame.
func (r *reader) rest() (silent bool) {
	r.decoder.Rest()
	return r.slow && !r.decoder.Midway()
}

// adapt chooses the next window by what the last read brought. If frames are
// mostly small, the window is 0: the number of frames in one read is then
// limited by the little room that the decoder has without blocks.
func (r *reader) adapt(bytes, frames int) {
	switch {
	case frames > 64 && bytes/frames < 1<<10:
		r.window = 0
	case bytes == r.offered:
		r.window = min(max(2*r.window, minWindow), maxWindow)
	default:
		r.window = min(max(2*bytes/buffer.Size, minWindow), maxWindow)
	}
}

// hand delivers the frames of a batch, in several messages if they are many. It
// returns false if the link was closed.
func (r *reader) hand(batch *messages.FramesReceived) bool {
	now := time.Now()
	r.slow, r.last = now.Sub(r.last) >= slowAfter, now
	var rest []frame.Frame
	if len(batch.Frames) > maxBatch {
		rest = slices.Clone(batch.Frames[maxBatch:])
		clear(batch.Frames[maxBatch:])
		batch.Frames = batch.Frames[:maxBatch]
	}
	for {
		batch.Link, batch.At = r.link.id, now
		r.link.emit(batch)
		if len(rest) == 0 {
			return true
		}
		if !r.credit() {
			for _, f := range rest {
				if f.Block != nil {
					f.Block.Release()
				}
			}
			return false
		}
		batch = batches.Get().(*messages.FramesReceived)
		n := min(len(rest), maxBatch)
		batch.Frames = append(batch.Frames, rest[:n]...)
		rest = rest[n:]
	}
}

// credit waits until one more batch may be delivered; false means that the link
// was closed.
func (r *reader) credit() bool {
	select {
	case <-r.link.closed:
		return false
	case <-r.link.credits:
		return true
	}
}

func (l *link) Done(m *messages.FramesReceived) {
	clear(m.Frames)
	if cap(m.Frames) > keepBatch {
		m.Frames = nil
	}
	*m = messages.FramesReceived{Frames: m.Frames[:0]}
	batches.Put(m)
	l.credits <- struct{}{}
}
