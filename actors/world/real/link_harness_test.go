package real

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

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

// take collects n frames from the events of a link.
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

// closing skips events up to LinkClosed, checks that nothing follows, and
// returns its error.
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

// lastOf returns how a link ends that receives no more frames.
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
