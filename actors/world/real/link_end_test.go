package real

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

func TestEndOfStream(t *testing.T) {
	block := make([]byte, buffer.Size)
	piece := append(frame.AppendHeader(nil, frame.Frame{Kind: frame.Piece, Length: buffer.Size}), block...)
	for _, c := range []struct {
		name   string
		stream []byte
		frames int
		want   error
	}{
		{"at once", nil, 0, io.EOF},
		{"between frames", piece, 1, io.EOF},
		{"within a prefix", append(piece[:len(piece):len(piece)], 0, 0), 1, io.ErrUnexpectedEOF},
		{"within a payload", piece[:10_000], 0, io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, conn := rawPair(t)
			l.Expect(4)
			events := start(l, frame.Limits{})
			if _, err := conn.Write(c.stream); err != nil {
				t.Fatal(err)
			}
			conn.Close()
			for _, f := range take(t, l, events, c.frames) {
				f.Block.Release()
			}
			if err := closing(t, l, events); err != c.want {
				t.Errorf("%v", err)
			}
			if live := l.pool.Stats().Live; live != 0 {
				t.Errorf("%d blocks are still held", live)
			}
		})
	}
}

func TestViolationComesAfterTheFramesBeforeIt(t *testing.T) {
	l, conn := rawPair(t)
	defer conn.Close()
	events := start(l, frame.Limits{})
	if _, err := conn.Write([]byte{0, 0, 0, 1, 2, 0, 0, 0, 9, 0}); err != nil {
		t.Fatal(err)
	}
	if got := take(t, l, events, 1); got[0].Kind != frame.Interested {
		t.Errorf("%v", got)
	}
	var violation *frame.ProtocolError
	if err := closing(t, l, events); !errors.As(err, &violation) {
		t.Error(err)
	}
}

func TestHandshakeFails(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(l *link, conn net.Conn)
		wait time.Duration
		want error
	}{
		{"timeout", func(*link, net.Conn) {}, time.Millisecond, errTimedOut},
		{"end", func(_ *link, conn net.Conn) { conn.Close() }, time.Minute, io.EOF},
		{"cut", func(_ *link, conn net.Conn) { _, _ = conn.Write([]byte{19}); conn.Close() }, time.Minute, io.ErrUnexpectedEOF},
		{"closed", func(l *link, _ net.Conn) { l.Close(errReason) }, time.Minute, errReason},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			l, conn := rawPair(t)
			defer conn.Close()
			errs := make(chan error, 1)
			l.ReadHandshake(c.wait, nil, func(_ frame.Handshake, err error) { errs <- err })
			c.do(l, conn)
			if err := <-errs; err != c.want {
				t.Error(err)
			}
			l.Close(nil)
		})
	}
}

// A link that came in closes if its owner never gets it; it stays open once the
// owner has sent a handshake.
func TestALinkThatNobodyTakesOverCloses(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, owned := range []bool{false, true} {
		out, in := pair(t)
		out.SendHandshake(frame.Handshake{})
		const within = 50 * time.Millisecond
		read := make(chan error, 1)
		in.ReadHandshake(within, nil, func(_ frame.Handshake, err error) {
			if owned {
				in.SendHandshake(frame.Handshake{})
			}
			read <- err
		})
		if err := <-read; err != nil {
			t.Fatal(err)
		}
		if owned {
			if l := in.(*link); l.unowned != nil {
				t.Error("it is going to be closed")
			}
		} else {
			<-in.(*link).closed
		}
		in.Close(nil)
		out.Close(nil)
	}
}

// stuck is a source that answers when the test wants it to.
type stuck struct{ asked chan func(error) }

func (s *stuck) ReadBlocks(_ [][]byte, _ int64, done func(error)) { s.asked <- done }

func TestClose(t *testing.T) {
	keepAlives := make([]byte, 1<<20)
	for _, c := range []struct {
		name string
		into func(l *link, conn net.Conn, events chan any) (after func())
	}{
		{"waiting for the peer", func(*link, net.Conn, chan any) func() { return nil }},
		{"waiting with blocks offered", func(l *link, conn net.Conn, events chan any) func() {
			l.Expect(64)
			_, _ = conn.Write([]byte{0, 0, 0, 0, 0, 0})
			<-events
			return nil
		}},
		{"waiting for a batch", func(l *link, conn net.Conn, events chan any) func() {
			_, _ = conn.Write(keepAlives[:64<<10])
			for range batchesAhead {
				<-events
			}
			return nil
		}},
		{"writing", func(l *link, conn net.Conn, events chan any) func() {
			m := &memory{make([]byte, 64<<20)}
			for off := 0; off < len(m.data); off += buffer.Size {
				l.Send([]messages.Outgoing{m.piece(off, buffer.Size)})
			}
			<-events // the first of the writes, later ones find the socket full
			return nil
		}},
		{"reading what to write", func(l *link, conn net.Conn, events chan any) func() {
			s := &stuck{make(chan func(error))}
			l.Send([]messages.Outgoing{{Frame: frame.Frame{Kind: frame.Piece, Length: 1}, Source: s}})
			done := <-s.asked
			return func() { done(nil) }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, conn := rawPair(t)
			defer conn.Close()
			events := start(l, frame.Limits{})
			after := c.into(l, conn, events)
			l.Close(errReason)
			l.Close(errClosed)
			l.Send([]messages.Outgoing{{}})
			if after != nil {
				// The link ends before the source has answered.
				if e := (<-events).(*messages.LinkClosed); e.Err != errReason {
					t.Error(e.Err)
				}
				after()
				goleak.VerifyNone(t)
				return
			}
			if err := closing(t, l, events); err != errReason {
				t.Error(err)
			}
		})
	}
	t.Run("before the start", func(t *testing.T) {
		l, conn := rawPair(t)
		defer conn.Close()
		l.Close(errReason)
		if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		if err := closing(t, l, start(l, frame.Limits{})); err != errReason {
			t.Error(err)
		}
	})
}

// A peer may send its last blocks, close, and have something of ours unread:
// then our next write fails, and what it sent must still arrive.
func TestHangUpLeavesWhatWasSentBefore(t *testing.T) {
	l, conn := rawPair(t)
	const frames = 20_000
	stream := make([]byte, 4*frames)
	if err := writeWithin(l.conn, []byte("unread"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(stream); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for {
		if err := writeWithin(l.conn, []byte{0}, time.Minute); err != nil {
			if !hungUp(err) {
				t.Fatal(err)
			}
			break
		}
	}
	l.queue, l.writing = &queue{[]messages.Outgoing{{Frame: frame.Frame{Kind: frame.KeepAlive}}}}, true
	l.write()
	events := start(l, frame.Limits{})
	if got := take(t, l, events, frames); len(got) != frames {
		t.Errorf("%d frames", len(got))
	}
	if err := closing(t, l, events); err != io.EOF {
		t.Error(err)
	}
}

// The start of a handshake is told as soon as it names the info hash, and only
// if the rest did not come with it; what cannot become a handshake is refused
// before it has the length of one.
func TestHandshakesAreReadAsTheyCome(t *testing.T) {
	h := frame.Handshake{InfoHash: [20]byte{1}, PeerID: [20]byte{2}}
	whole := h.Append(nil)
	for name, c := range map[string]struct {
		writes  []int // bytes of the handshake, one after the other
		garbled bool
		known   bool
	}{
		"at once":                   {writes: []int{68}},
		"the peer id later":         {writes: []int{48, 20}, known: true},
		"in the middle of both":     {writes: []int{30, 30, 8}, known: true},
		"an end before the peer id": {writes: []int{48}, known: true},
		"another protocol":          {writes: []int{20}, garbled: true},
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			l, conn := rawPair(t)
			defer conn.Close()
			got := make(chan any, 2)
			l.ReadHandshake(time.Minute, func(h frame.Handshake) {
				l.SendHandshake(h)
				got <- h
			}, func(h frame.Handshake, err error) {
				if err != nil {
					got <- err
				} else {
					got <- h
				}
			})
			rest := slices.Clone(whole)
			if c.garbled {
				rest[5] = '?'
			}
			told := false
			write := func(n int) {
				if _, err := conn.Write(rest[:n]); err != nil {
					t.Error(err)
				}
				rest = rest[n:]
			}
			for _, n := range c.writes {
				sent := len(whole) - len(rest)
				write(n)
				if sent += n; c.known && !told && sent >= frame.HashKnownLen {
					told = true
					start := h
					start.PeerID = [20]byte{}
					if g := <-got; g != start {
						t.Errorf("told %v", g)
					}
					answer := make([]byte, frame.HandshakeLen)
					if _, err := io.ReadFull(conn, answer); err != nil || !bytes.Equal(answer, start.Append(nil)) {
						t.Errorf("answered %q, %v", answer, err)
					}
				}
			}
			violation := new(frame.ProtocolError)
			if len(rest) > 0 && !c.garbled {
				conn.Close()
			}
			switch g := <-got; {
			case c.garbled:
				if err, is := g.(error); !is || !errors.As(err, &violation) {
					t.Errorf("got %v", g)
				}
			case len(rest) > 0:
				if g != io.ErrUnexpectedEOF {
					t.Errorf("got %v", g)
				}
			case g != h:
				t.Errorf("got %v", g)
			}
			l.SendHandshake(h)
			l.Close(nil)
		})
	}
}
