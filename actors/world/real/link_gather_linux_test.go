package real

import (
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

// While a reader gathers, little wakes no thread; afterwards each byte counts
// again.
func TestGatherSetsTheLowWaterMark(t *testing.T) {
	l, conn := rawPair(t)
	s := newSocket(l.conn, &reader{link: l})
	mark := func() (bytes int) {
		if err := s.raw.Control(func(fd uintptr) {
			bytes, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT)
		}); err != nil {
			t.Error(err)
		}
		return bytes
	}
	var during []int
	look := s.look
	s.look = func(fd uintptr) bool {
		bytes, _ := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT)
		during = append(during, bytes)
		return look(fd)
	}

	for _, sent := range []int{0, 100, gatherBytes} {
		if _, err := conn.Write(make([]byte, sent)); err != nil {
			t.Fatal(err)
		}
		s.gather()
		if got := mark(); got != 1 {
			t.Errorf("after %d bytes the socket is readable from %d on", sent, got)
		}
	}
	for _, got := range during {
		if got != gatherBytes {
			t.Errorf("while the reader gathers, the socket is readable from %d bytes on", got)
		}
	}
	if len(during) < 3 {
		t.Errorf("the socket was looked at %d times in 3 waits", len(during))
	}
	conn.Close()
	l.Close(nil)
}

// A fast peer that stops is heard to its last byte, though far less arrives
// than is still to come.
func TestLessThanAGatheringArrives(t *testing.T) {
	defer goleak.VerifyNone(t)
	out, in := pair(t)
	m := random(8 * buffer.Size)
	events, sent := start(out, frame.Limits{}), start(in, frame.Limits{})
	out.Expect(4 * fastBlocks)
	for range 20 {
		var blocks []messages.Outgoing
		for i := range len(m.data) / buffer.Size {
			blocks = append(blocks, m.piece(i*buffer.Size, buffer.Size))
		}
		in.Send(blocks)
		for _, f := range take(t, out, events, len(blocks)) {
			f.Block.Release()
		}
	}
	in.Close(errReason)
	if err := closing(t, in, sent); err != errReason {
		t.Error(err)
	}
	out.Close(nil)
}
