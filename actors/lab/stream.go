package lab

import (
	"io"
	"slices"
	"time"

	"kouzui/actors/world/sim"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/extended"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

const (
	// mostQueued is how many frames may wait on a stream before a write waits, and
	// mostUnread how many bytes may wait to be read before nothing more is taken
	// from the connection.
	mostQueued = 256
	mostUnread = 64 << 10
	retryWrite = 20 * time.Millisecond
)

// stream is a link as a stream of bytes, for a script at one end of it. Bytes
// that a client would not understand end the connection as the client would end
// it.
type stream struct {
	threads *coroutines
	link    messages.Link

	head    []byte // the part of the handshake that has been written
	decoder *frame.Decoder
	garbled bool // the other end has closed because of what was written
	raw     bool // what was written begins no handshake of BEP 3, and goes as it is

	unread  []byte
	batches []*messages.FramesReceived // batches that have not been given back
	closed  bool
	waiting []*thread
}

func (s *coroutines) open(link messages.Link, t *metainfo.Torrent, pool *buffer.Pool) *stream {
	c := &stream{threads: s, link: link}
	limits := frame.Limits{Pieces: t.PieceCount(), Extended: extended.MaxLen}
	c.decoder = frame.NewDecoder(pool, limits, frame.Options{})
	link.ReadHandshake(24*time.Hour, nil, func(h frame.Handshake, err error) {
		if err == nil {
			c.unread = h.Append(c.unread)
			c.wake()
		}
	})
	sim.Hear(link, func(b []byte) {
		c.unread = append(c.unread, b...)
		c.wake()
	})
	link.Start(limits, c.take)
	return c
}

func (c *stream) take(m any) {
	switch m := m.(type) {
	case *messages.FramesReceived:
		for _, f := range m.Frames {
			c.unread = frame.AppendHeader(c.unread, f)
			if f.Block != nil {
				c.unread = append(c.unread, f.Block.Bytes()...)
				f.Block.Release()
			}
		}
		c.batches = append(c.batches, m)
		c.giveBack()
	case *messages.LinkClosed:
		c.closed = true
	}
	c.wake()
}

func (c *stream) giveBack() {
	for len(c.batches) > 0 && len(c.unread) < mostUnread {
		m := c.batches[0]
		c.batches = c.batches[1:]
		c.link.Done(m)
	}
}

func (c *stream) wake() {
	for _, t := range c.waiting {
		c.threads.later(0, t)
	}
	c.waiting = nil
}

// wait waits until something happens on the connection.
func (c *stream) wait() bool {
	c.waiting = append(c.waiting, c.threads.current)
	return c.threads.pause()
}

// Read implements io.Reader.
func (c *stream) Read(p []byte) (int, error) {
	for len(c.unread) == 0 {
		if c.closed || !c.wait() {
			return 0, io.EOF
		}
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	c.giveBack()
	return n, nil
}

// Write implements io.Writer.
func (c *stream) Write(p []byte) (int, error) {
	for sim.Backlog(c.link) > mostQueued && !c.closed {
		if !c.threads.Wait(retryWrite) {
			break
		}
	}
	for c.garbled && !c.closed && c.wait() {
	}
	if c.closed || !c.threads.Open() {
		return 0, io.ErrClosedPipe
	}
	if c.raw {
		sim.Say(c.link, p)
		c.threads.Wait(retryWrite) // a script may write without end
		return len(p), nil
	}
	rest := p
	if need := frame.HandshakeLen - len(c.head); need > 0 {
		n := min(need, len(rest))
		before := len(c.head)
		c.head, rest = append(c.head, rest[:n]...), rest[n:]
		h, known, err := frame.ParseHandshakeStart(c.head)
		switch {
		case err != nil: // no handshake: the other side gets the bytes as they are
			c.raw = true
			sim.Say(c.link, append(c.head, rest...))
			return len(p), nil //nolint:nilerr // writing succeeded
		case n == need:
			copy(h.PeerID[:], c.head[frame.HashKnownLen:])
			c.link.SendHandshake(h)
		case known && before < frame.HashKnownLen:
			sim.Begin(c.link, h)
		}
	}
	if err := c.send(rest); err != nil {
		c.garble(err)
	}
	return len(p), nil
}

func (c *stream) garble(err error) {
	c.garbled = true
	sim.Garble(c.link, err)
}

// send cuts bytes into frames, as the other end would.
func (c *stream) send(p []byte) error {
	var frames []frame.Frame
	var err error
	for len(p) > 0 && err == nil {
		n := 0
		for _, into := range c.decoder.Buffers(0) {
			n += copy(into, p[n:])
		}
		p = p[n:]
		frames, err = c.decoder.Advance(n, frames)
	}
	for _, f := range frames {
		out := messages.Outgoing{Frame: f}
		if f.Block != nil {
			out.Source, out.Block = &bytesOf{slices.Clone(f.Block.Bytes())}, nil
			f.Block.Release()
		}
		c.link.Send([]messages.Outgoing{out})
	}
	return err
}

// CloseWrite ends the stream in this direction.
func (c *stream) CloseWrite() error {
	c.garble(io.EOF)
	return nil
}

// Close implements io.Closer.
func (c *stream) Close() error {
	c.decoder.Close()
	c.link.Close(nil)
	return nil
}

// bytesOf is the payload of a block as a messages.BlockSource.
type bytesOf struct{ block []byte }

func (b *bytesOf) ReadBlocks(bufs [][]byte, off int64, done func(error)) {
	for _, buf := range bufs {
		off += int64(copy(buf, b.block[off:]))
	}
	done(nil)
}
