package real

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

var errReason = errors.New("a reason")

// dialTo connects to a listener of the test's own.
func dialTo(t *testing.T, n *Network, addr netip.AddrPort) messages.Link {
	t.Helper()
	links := make(chan messages.Link, 1)
	n.Dial(addr, time.Minute, func(l messages.Link, err error) {
		if err != nil {
			t.Error(err)
		}
		links <- l
	})
	return <-links
}

func newTestNetwork() *Network { return NewNetwork(NetworkOptions{Pool: buffer.NewPool(64)}) }

// pair connects two links.
func pair(t *testing.T) (out, in messages.Link) {
	t.Helper()
	n := newTestNetwork()
	accepted := make(chan messages.Link, 1)
	l, err := n.Listen("127.0.0.1:0", 0, func(l messages.Link) { accepted <- l }, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return dialTo(t, n, l.Addr()), <-accepted
}

// rawPair connects a link to a plain socket.
func rawPair(t *testing.T) (*link, *net.TCPConn) {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	l := dialTo(t, newTestNetwork(), addrPort(socket.Addr()))
	conn, err := socket.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return l.(*link), conn.(*net.TCPConn)
}

// start starts a link whose events go into a channel.
func start(l messages.Link, limits frame.Limits) chan any {
	events := make(chan any, 64)
	l.Start(limits, func(e any) { events <- e })
	return events
}

// take collects n frames.
func take(t *testing.T, l messages.Link, events chan any, n int) []frame.Frame {
	t.Helper()
	var frames []frame.Frame
	for len(frames) < n {
		switch e := (<-events).(type) {
		case *messages.FramesReceived:
			if e.Link != l.ID() || e.At.IsZero() || len(e.Frames) == 0 {
				t.Errorf("batch of link %d at %v with %d frames", e.Link, e.At, len(e.Frames))
			}
			frames = append(frames, e.Frames...)
			l.Done(e)
		case *messages.LinkClosed:
			t.Fatalf("closed after %d of %d frames: %v", len(frames), n, e.Err)
		}
	}
	return frames
}

// closing skips to the end of a link, and sees that it is one.
func closing(t *testing.T, l messages.Link, events chan any) error {
	t.Helper()
	for e := range events {
		switch e := e.(type) {
		case *messages.FramesReceived:
			l.Done(e)
		case *messages.LinkClosed:
			goleak.VerifyNone(t) // so nothing can follow
			select {
			case e := <-events:
				t.Errorf("%T after LinkClosed", e)
			default:
			}
			return e.Err
		}
	}
	return nil
}

// memory is a torrent in memory; offset 0 is its first byte.
type memory struct{ data []byte }

func (m *memory) ReadBlocks(bufs [][]byte, off int64, done func(error)) {
	go func() { // like a world in which reading takes its time
		for _, b := range bufs {
			off += int64(copy(b, m.data[off:]))
		}
		done(nil)
	}()
}

func random(n int) *memory {
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(data)
	return &memory{data}
}

func (m *memory) piece(off, n int) messages.Outgoing {
	return messages.Outgoing{
		Frame:  frame.Frame{Kind: frame.Piece, Index: uint32(off / buffer.Size), Begin: uint32(off % buffer.Size), Length: uint32(n)},
		Source: m, Offset: int64(off),
	}
}

func TestEveryKindBothWays(t *testing.T) {
	defer goleak.VerifyNone(t)
	a, b := pair(t)
	if a.Inbound() || !b.Inbound() || a.ID() == b.ID() || a.Remote().Addr() != b.Remote().Addr() {
		t.Errorf("links %+v and %+v", a, b)
	}
	m := random(1 << 20)
	limits := frame.Limits{Pieces: 12, Extended: 100}
	ends := []messages.Link{a, b}
	events := []chan any{start(a, limits), start(b, limits)}
	control := []frame.Frame{
		{Kind: frame.Bitfield, Bits: []byte{0xff, 0xf0}}, {Kind: frame.KeepAlive}, {Kind: frame.Choke}, {Kind: frame.Unchoke},
		{Kind: frame.Interested}, {Kind: frame.NotInterested}, {Kind: frame.Have, Index: 7},
		{Kind: frame.Request, Index: 1, Begin: 2, Length: 3}, {Kind: frame.Cancel, Index: 1, Begin: 2, Length: 3},
		{Kind: frame.Port, Index: 6881}, {Kind: frame.SuggestPiece, Index: 4}, {Kind: frame.HaveAll}, {Kind: frame.HaveNone},
		{Kind: frame.Reject, Index: 3, Begin: 2, Length: 1}, {Kind: frame.AllowedFast, Index: 5},
		{Kind: frame.Extended, Index: 1, Bits: []byte("de")},
	}
	var out []messages.Outgoing
	var want []frame.Frame
	for i, f := range control {
		p := m.piece(i*buffer.Size, buffer.Size-i)
		out = append(out, messages.Outgoing{Frame: f}, p)
		want = append(want, f, p.Frame)
	}
	for i, l := range ends {
		ends[1-i].Expect(i * len(control))
		l.Send(out)
	}
	clear(out)
	for i, l := range ends {
		got := take(t, l, events[i], len(want))
		for j, f := range got {
			if f.Kind != frame.Piece {
				continue
			}
			off := int(f.Index)*buffer.Size + int(f.Begin)
			if !bytes.Equal(f.Block.Bytes(), m.data[off:off+int(f.Length)]) {
				t.Errorf("payload of frame %d is wrong", j)
			}
			f.Block.Release()
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(frame.Frame{}, "Block")); d != "" {
			t.Error(d)
		}
	}
	a.Close(errReason)
	if err := <-lastOf(events[0]); err != errReason {
		t.Error(err)
	}
	if err := <-lastOf(events[1]); err == nil {
		t.Error("closed without an error")
	}
}

// lastOf tells how a link that receives no more frames ends.
func lastOf(events chan any) chan error {
	end := make(chan error, 1)
	go func() {
		for e := range events {
			if c, ok := e.(*messages.LinkClosed); ok {
				end <- c.Err
				return
			}
		}
	}()
	return end
}

func TestTransfer(t *testing.T) {
	defer goleak.VerifyNone(t)
	const size, blocks, window = 64 << 20, 64 << 20 / buffer.Size, 100
	a, b := pair(t)
	m := random(size)
	in, sent := start(a, frame.Limits{}), start(b, frame.Limits{})

	pieces, payload, asked := 0, 0, 0
	send := func(n int) {
		var out []messages.Outgoing
		for ; n > 0 && asked < blocks; n-- {
			out = append(out, m.piece(asked*buffer.Size, buffer.Size))
			asked++
		}
		b.Send(out)
	}
	a.Expect(window)
	send(window)
	for got := 0; got < blocks; {
		select {
		case e := <-in:
			batch := e.(*messages.FramesReceived)
			for _, f := range batch.Frames {
				if int(f.Index) != got || !bytes.Equal(f.Block.Bytes(), m.data[got*buffer.Size:][:buffer.Size]) {
					t.Fatalf("block %d is wrong", got)
				}
				f.Block.Release()
				got++
			}
			a.Expect(min(window, blocks-got))
			a.Done(batch)
		case e := <-sent:
			s := e.(*messages.FramesSent)
			pieces, payload = pieces+s.Pieces, payload+s.Payload
			send(s.Pieces)
		}
	}
	b.Close(nil)
	for e := range sent {
		if s, ok := e.(*messages.FramesSent); ok {
			pieces, payload = pieces+s.Pieces, payload+s.Payload
			continue
		}
		break
	}
	// The report of the last write may have been cut off by the close.
	if pieces > blocks || pieces < blocks-window || payload != pieces*buffer.Size {
		t.Errorf("told of %d pieces and %d bytes sent", pieces, payload)
	}
	if err := closing(t, a, in); err != io.EOF {
		t.Error(err)
	}
	if live := a.(*link).pool.Stats().Live; live != 0 {
		t.Errorf("%d blocks are still held", live)
	}
}

func TestByteByByte(t *testing.T) {
	defer goleak.VerifyNone(t)
	l, conn := rawPair(t)
	defer conn.Close()
	h := frame.Handshake{InfoHash: [20]byte{1}, PeerID: [20]byte{2}}
	var stream []byte
	stream = h.Append(stream)
	stream = frame.AppendHeader(stream, frame.Frame{Kind: frame.Have, Index: 9})
	stream = append(frame.AppendHeader(stream, frame.Frame{Kind: frame.Piece, Length: 3}), "abc"...)
	write := func(bytes []byte) {
		for i := range bytes {
			if _, err := conn.Write(bytes[i : i+1]); err != nil {
				t.Error(err)
			}
		}
	}

	// All but the last bytes are there before the frames' reader starts, so that
	// a handshake that took too much would be missed.
	write(stream[:len(stream)-2])
	got := make(chan frame.Handshake, 1)
	l.ReadHandshake(time.Minute, func(h frame.Handshake, err error) {
		if err != nil {
			t.Error(err)
		}
		got <- h
	})
	if g := <-got; g != h {
		t.Errorf("handshake %v", g)
	}
	l.Expect(1)
	events := start(l, frame.Limits{})
	write(stream[len(stream)-2:])
	frames := take(t, l, events, 2)
	if frames[0].Index != 9 || string(frames[1].Block.Bytes()) != "abc" {
		t.Errorf("%v", frames)
	}
	frames[1].Block.Release()

	l.SendHandshake(h)
	l.Send([]messages.Outgoing{{Frame: frame.Frame{Kind: frame.Unchoke}}})
	answer := make([]byte, frame.HandshakeLen+5)
	if _, err := io.ReadFull(conn, answer); err != nil || !bytes.Equal(answer, append(h.Append(nil), 0, 0, 0, 1, 1)) {
		t.Errorf("%q, %v", answer, err)
	}
	l.Close(nil)
	if err := closing(t, l, events); err != errClosed {
		t.Error(err)
	}
}

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
			l.ReadHandshake(c.wait, func(_ frame.Handshake, err error) { errs <- err })
			c.do(l, conn)
			if err := <-errs; err != c.want {
				t.Error(err)
			}
			l.Close(nil)
		})
	}
}

// A link that came in, and whose owner was lost on the way to it, does not stay
// open; one that was greeted does.
func TestALinkThatNobodyTakesOverCloses(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, owned := range []bool{false, true} {
		out, in := pair(t)
		out.SendHandshake(frame.Handshake{})
		const within = 50 * time.Millisecond
		read := make(chan error, 1)
		in.ReadHandshake(within, func(_ frame.Handshake, err error) {
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

func TestCreditsHoldBackAFlood(t *testing.T) {
	l, conn := rawPair(t)
	defer conn.Close()
	const frames = 1 << 20
	go func() { _, _ = conn.Write(make([]byte, 4*frames)) }()
	l.Expect(128) // the flood comes where blocks are expected
	events := start(l, frame.Limits{})
	var held []*messages.FramesReceived
	for total := 0; total < frames; {
		if len(held) == batchesAhead {
			select {
			case e := <-events:
				t.Fatalf("%T beyond the credits", e)
			default:
			}
			l.Done(held[0])
			held = held[1:]
		}
		batch := (<-events).(*messages.FramesReceived)
		if len(batch.Frames) > maxBatch {
			t.Fatalf("batch of %d frames", len(batch.Frames))
		}
		total += len(batch.Frames)
		held = append(held, batch)
	}
	l.Close(errReason)
	if err := closing(t, l, events); err != errReason {
		t.Error(err)
	}
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
