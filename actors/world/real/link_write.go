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
	// reportAfter is after how many bytes of payload FramesSent is due while there
	// is more to write: half of what a peer queues.
	reportAfter = 32 * buffer.Size
	// keepQueue is for how many frames an empty queue may keep room: as many as
	// the requests that a fast peer is sent at once.
	keepQueue = 256
	// writeTimeout is how long the peer may take none of what we write.
	writeTimeout = 2 * time.Minute
	// maxUnread is how many frames may wait for a peer that does not read, beside
	// those that are being written. A choke rejects 2,000 requests at most, as
	// many may be asked for and cancelled at a time, and haves come ten times a
	// second.
	maxUnread = 8000
)

func (l *link) SendHandshake(h frame.Handshake) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.greeted || !l.idLate {
		l.owned()
	}
	if l.reason == nil && !l.greeted {
		l.greeted = true
		l.greeting = h.Append(nil)
		if l.waits {
			return
		}
		l.out.XOR(l.greeting)
		l.wake()
	}
}

// Send keeps the order of all frames, with and without payload. The caller
// limits the payload that is queued, and the link the number of frames: a peer
// may ask for what is rejected faster than it reads.
func (l *link) Send(out []messages.Outgoing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason != nil || len(out) == 0 || l.sendNow(out) {
		return
	}
	if l.queue == nil {
		l.queue = queues.Get().(*queue)
	}
	if len(l.queue.frames)+len(out) > maxUnread {
		l.end(errUnread)
		return
	}
	l.queue.frames = slices.Grow(l.queue.frames, len(out))
	for _, o := range out {
		o.Bits = slices.Clone(o.Bits)
		l.queue.frames = append(l.queue.frames, o)
	}
	l.wake()
}

// sendNow writes frames without payload at once, if no writer runs and the
// socket has room: starting a goroutine for a small frame costs more than the
// frame. It returns false if it wrote nothing. What does not fit is left to a
// writer, and so are all errors. The lock is held.
func (l *link) sendNow(out []messages.Outgoing) bool {
	if !immediate || l.writing || slices.ContainsFunc(out, isPiece) {
		return false
	}
	if l.raw == nil {
		var err error
		if l.raw, err = l.conn.SyscallConn(); err != nil {
			return false
		}
	}
	c := controls.Get().(*chunk)
	defer c.giveBack(&controls)
	if c.lay(out) < len(out) {
		return false
	}
	encrypted := l.out.Active()
	l.out.XOR(c.buf)
	if c.sent = 0; l.raw.Write(c.now) != nil && !encrypted {
		return false
	}
	if c.sent < len(c.buf) {
		l.greeting = slices.Clone(c.buf[c.sent:])
		l.wake()
	}
	return true
}

// queue is the frames that a link has to write. A link borrows one while it has
// some.
type queue struct{ frames []messages.Outgoing }

var queues = sync.Pool{New: func() any { return new(queue) }}

func (q *queue) giveBack() {
	clear(q.frames)
	if cap(q.frames) <= keepQueue {
		q.frames = q.frames[:0]
		queues.Put(q)
	}
}

// wake starts a writer if none runs. The lock is held.
func (l *link) wake() {
	if !l.writing {
		l.writing = true
		go l.write()
	}
}

// writer is the state of the goroutine that writes a link.
type writer struct {
	link   *link
	sender *sender // from the first piece on, where there are ways to send payload
	sent   messages.FramesSent
}

// write runs until nothing is queued or the link is closed.
func (l *link) write() {
	w := &writer{link: l}
	for {
		greeting, taken := l.take()
		if len(greeting) == 0 && taken == nil {
			return
		}
		var err error
		if taken == nil {
			err = w.writeAll(greeting, nil)
		} else {
			err = w.writeAll(greeting, taken.frames)
			taken.giveBack()
		}
		w.report()
		if err != nil {
			if hungUp(err) {
				return // l.writing stays true, so that what is queued from now on starts no writer
			}
			l.Close(cause(err))
		}
	}
}

// take returns all that is queued. If that is nothing, the writer has to end.
func (l *link) take() (greeting []byte, taken *queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	greeting, taken = l.greeting, l.queue
	l.greeting, l.queue = nil, nil
	l.writing = len(greeting) > 0 || taken != nil
	return greeting, taken
}

// hungUp tells whether err says that the peer has closed the connection. Frames
// that it sent before may still wait in the socket, so the writer leaves it to
// the reader to find the end.
func hungUp(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

func isPiece(o messages.Outgoing) bool { return o.Kind == frame.Piece }

// writeAll writes greeting and then out.
func (w *writer) writeAll(greeting []byte, out []messages.Outgoing) error {
	if !slices.ContainsFunc(out, isPiece) {
		return w.copyAll(&controls, greeting, out)
	}
	if w.sender == nil && !w.link.out.Active() { // what is encrypted passes through our memory
		w.sender = newSender(w)
	}
	if w.sender == nil {
		return w.copyAll(&chunks, greeting, out)
	}
	if len(greeting) > 0 {
		if err := w.copyAll(&controls, greeting, nil); err != nil {
			return err
		}
	}
	return w.sender.send(out)
}

// copyAll writes greeting and then out in chunks from the pool.
func (w *writer) copyAll(lend *sync.Pool, greeting []byte, out []messages.Outgoing) error {
	c := lend.Get().(*chunk)
	defer c.giveBack(lend)
	c.buf = append(c.buf, greeting...)
	for len(out) > 0 || len(c.buf) > 0 {
		select {
		case <-w.link.closed:
			return errClosed
		default:
		}
		n := c.lay(out)
		if err := c.fill(); err != nil {
			return err
		}
		w.link.out.XOR(c.buf[len(greeting):])
		greeting = nil
		if err := writeWithin(w.link.conn, c.buf, writeTimeout); err != nil {
			return err
		}
		w.wrote(out[:n])
		w.report()
		out = out[n:]
		c.buf, c.gaps = c.buf[:0], c.gaps[:0]
	}
	return nil
}

// wrote counts frames that are written, and reports them after every
// reportAfter bytes.
func (w *writer) wrote(out []messages.Outgoing) {
	for i := range out {
		if out[i].Kind == frame.Piece {
			w.sent.Payload += int(out[i].Length)
			w.sent.Pieces++
		}
	}
	if w.sent.Payload >= reportAfter {
		w.report()
	}
}

// report delivers FramesSent, so that the peer can queue more. The writer also
// calls it before it waits.
func (w *writer) report() {
	if w.sent.Pieces == 0 {
		return
	}
	w.link.emit(&messages.FramesSent{Link: w.link.id, At: time.Now(), Payload: w.sent.Payload, Pieces: w.sent.Pieces})
	w.sent = messages.FramesSent{}
}

// writeWithin fails if the peer takes nothing for the time of timeout. A peer
// that is slow but takes a little is waited for.
func writeWithin(conn net.Conn, b []byte, timeout time.Duration) error {
	return within(conn, timeout, func() (bool, error) {
		n, err := conn.Write(b)
		b = b[n:]
		return n > 0, err
	})
}

// within calls write, which writes to conn, again and again while some of it
// gets through within each timeout.
func within(conn net.Conn, timeout time.Duration, write func() (some bool, err error)) error {
	for {
		if err := conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
		if some, err := write(); !some || cause(err) != errTimedOut {
			return err
		}
	}
}
