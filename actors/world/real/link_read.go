package real

import (
	"io"
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

const (
	// maxBatch bounds the frames of one message.
	maxBatch = 512
	// keepBatch is the room for frames that a batch may keep while it waits.
	keepBatch = 160
	// A reader offers room for as many blocks as are expected, but no more than
	// a small multiple of what the last read brought: a slow peer shall not
	// occupy a window of blocks at each of its packets.
	minWindow = 4
	maxWindow = 128
	// After a read of fastBytes, while fastBlocks are still to come, a reader takes a
	// breath: what gathers meanwhile costs one call and one message.
	fastBytes  = 32 << 10
	fastBlocks = 64
	breath     = 300 * time.Microsecond
)

// reader is what a link's reading goroutine owns.
type reader struct {
	link    *link
	decoder *frame.Decoder
	window  int // blocks to offer at most
	offered int // bytes, by the last call of offer
}

// read runs until the link is closed or its stream ends.
func (l *link) read(limits frame.Limits) {
	r := &reader{
		link:    l,
		decoder: frame.NewDecoder(l.pool, limits, frame.Options{Flat: !scatter}),
		window:  minWindow,
	}
	err := r.run()
	r.decoder.Close()
	l.Close(cause(err))
	l.emit(&messages.LinkClosed{Link: l.id, Err: l.why(err)})
}

func (r *reader) run() error {
	socket, err := newSocket(r.link.conn, r.offer, r.release)
	if err != nil {
		return err
	}
	for {
		batch := r.credit()
		if batch == nil {
			return errClosed
		}
		for len(batch.Frames) == 0 {
			n, readErr := socket.read()
			var frameErr error
			if n > 0 {
				batch.Bytes += n
				batch.Frames, frameErr = r.decoder.Advance(n, batch.Frames)
				r.adapt(n, len(batch.Frames))
			}
			switch {
			case frameErr != nil:
				r.hand(batch)
				return frameErr
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
			time.Sleep(breath)
		}
	}
}

// offer is where to read to next.
func (r *reader) offer() [][]byte {
	blocks := min(int(r.link.expect.Load()), r.window)
	bufs := r.decoder.Buffers(blocks)
	r.offered = 0
	for _, b := range bufs {
		r.offered += len(b)
	}
	return bufs
}

// release gives back the blocks of an offer that nothing was there to fill.
func (r *reader) release() { r.decoder.Buffers(0) }

// adapt chooses the next window by what the last read brought. Frames that are
// mostly small get no blocks at all: their number in one read stays bounded by
// the little that the decoder reads without.
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

// hand delivers the frames of a batch, as several if they are many, and tells
// whether the link goes on.
func (r *reader) hand(batch *messages.FramesReceived) bool {
	now := time.Now()
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
		if batch = r.credit(); batch == nil {
			for _, f := range rest {
				if f.Block != nil {
					f.Block.Release()
				}
			}
			return false
		}
		n := min(len(rest), maxBatch)
		batch.Frames = append(batch.Frames, rest[:n]...)
		rest = rest[n:]
	}
}

// credit waits for a batch to fill; nil means that the link was closed.
func (r *reader) credit() *messages.FramesReceived {
	select {
	case <-r.link.closed:
		return nil
	case batch := <-r.link.batches:
		return batch
	}
}

func (l *link) Done(m *messages.FramesReceived) {
	clear(m.Frames)
	if cap(m.Frames) > keepBatch {
		m.Frames = nil
	}
	*m = messages.FramesReceived{Frames: m.Frames[:0]}
	l.batches <- m
}
