package real

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

// recorder records how it is read.
type recorder struct {
	calls []call
	err   error
}

type call struct {
	off  int64
	lens []int
}

func (r *recorder) ReadBlocks(bufs [][]byte, off int64, done func(error)) {
	c := call{off: off}
	for _, b := range bufs {
		c.lens = append(c.lens, len(b))
	}
	r.calls = append(r.calls, c)
	done(r.err)
}

func TestContiguousBlocksAreReadInOneCall(t *testing.T) {
	a, b := new(recorder), new(recorder)
	piece := func(s messages.BlockSource, off, n int) messages.Outgoing {
		return messages.Outgoing{Frame: frame.Frame{Kind: frame.Piece, Length: uint32(n)}, Source: s, Offset: int64(off)}
	}
	c := newChunk(chunkLen)
	out := []messages.Outgoing{
		piece(a, 0, 100), piece(a, 100, 50), {Frame: frame.Frame{Kind: frame.Choke}}, piece(a, 150, 10),
		piece(a, 200, 10), piece(b, 210, 10), piece(b, 220, 10),
	}
	if n := c.lay(out); n != len(out) {
		t.Fatalf("%d frames laid out", n)
	}
	if err := c.fill(); err != nil {
		t.Fatal(err)
	}
	opt := cmp.AllowUnexported(call{})
	if d := cmp.Diff([]call{{0, []int{100, 50, 10}}, {200, []int{10}}}, a.calls, opt); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]call{{210, []int{10, 10}}}, b.calls, opt); d != "" {
		t.Error(d)
	}
}

func TestChunkTakesSixteenBlocks(t *testing.T) {
	m := random(40 * buffer.Size)
	var out []messages.Outgoing
	for i := range 40 {
		out = append(out, m.piece(i*buffer.Size, buffer.Size))
	}
	c := newChunk(chunkLen)
	if n := c.lay(out); n != 16 || cap(c.buf) != chunkLen {
		t.Errorf("%d frames in %d bytes", n, cap(c.buf))
	}
	big := []messages.Outgoing{{Frame: frame.Frame{Kind: frame.Extended, Bits: make([]byte, 1<<20)}}}
	if n := c.lay(big); n != 0 {
		t.Error("laid out what has no room")
	}
	if !c.reset() {
		t.Error("chunk thrown away")
	}
	if n := c.lay(big); n != 1 {
		t.Error("did not lay out a frame larger than any chunk")
	}
	if c.reset() {
		t.Error("oversized chunk kept")
	}
}

func TestFailedReadClosesTheLink(t *testing.T) {
	l, conn := rawPair(t)
	defer conn.Close()
	events := start(l, frame.Limits{})
	broken := errors.New("disk broken")
	l.Send([]messages.Outgoing{
		{Frame: frame.Frame{Kind: frame.Piece, Length: 1}, Source: &recorder{err: broken}},
		{Frame: frame.Frame{Kind: frame.Have}},
	})
	if err := closing(t, l, events); err != broken {
		t.Error(err)
	}
	if b, err := io.ReadAll(conn); len(b) > 0 || err != nil {
		t.Errorf("sent %q, %v", b, err)
	}
}

func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		go func() {
			for range 3 {
				time.Sleep(100 * time.Second)
				_, _ = b.Read(make([]byte, 1))
			}
		}()
		begin := time.Now()
		err := writeWithin(a, make([]byte, 10), writeTimeout)
		if cause(err) != errTimedOut {
			t.Error(err)
		}
		// Bytes at 100, 200 and 300 s; the deadlines at 120, 240, 360 and 480 s.
		if d := time.Since(begin); d != 4*writeTimeout {
			t.Errorf("gave up after %v", d)
		}
	})
}

// A peer that makes us say more and more and reads nothing is closed.
func TestWhatIsNotReadIsBounded(t *testing.T) {
	l, conn := rawPair(t)
	defer conn.Close()
	events := start(l, frame.Limits{})
	rejects := slices.Repeat([]messages.Outgoing{{Frame: frame.Frame{Kind: frame.Reject, Length: buffer.Size}}}, 100)
	waiting := func() (n int, open bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.queue != nil {
			n = len(l.queue.frames)
		}
		return n, l.reason == nil
	}
	most := 0
	for range 1 << 16 { // a hundred MiB, far more than sockets hold
		l.Send(rejects)
		n, open := waiting()
		if most = max(most, n); !open {
			break
		}
	}
	if err := closing(t, l, events); err != errUnread || most > maxUnread || most < maxUnread/2 {
		t.Errorf("%v after %d frames waited", err, most)
	}
}

// Pieces that are announced together are frames of their own on the wire, in
// one write.
func TestHavesAreFramesOfTheirOwn(t *testing.T) {
	const n = 1000
	haves := make([]uint32, n)
	var want []byte
	for i := range haves {
		haves[i] = uint32(i)
		want = frame.AppendHeader(want, frame.Frame{Kind: frame.Have, Index: uint32(i)})
	}
	c := newChunk(controlLen)
	if laid := c.lay([]messages.Outgoing{{Frame: frame.Frame{Kind: frame.Have}, Haves: haves}}); laid != 1 {
		t.Fatalf("%d laid out", laid)
	}
	if d := cmp.Diff(want, c.buf); d != "" {
		t.Error(d)
	}
}

// Frames without payload that the socket takes at once need no writer; those
// that it does not take follow later, in order.
func TestWordsAreWrittenAtOnceAndInOrder(t *testing.T) {
	l, conn := rawPair(t)
	defer conn.Close()
	defer l.Close(errReason)
	var want []byte
	say := func(i int) (writing bool) {
		f := frame.Frame{Kind: frame.Extended, Index: 1, Bits: bytes.Repeat([]byte{byte(i)}, 2000)}
		want = frame.AppendHeader(want, f)
		l.Send([]messages.Outgoing{{Frame: f}})
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.writing
	}
	if say(0) && immediate {
		t.Error("a word in an empty socket has a writer")
	}
	n := 1
	for ; n < 1<<16 && !say(n); n++ {
	}
	for range 100 { // while it writes
		n++
		say(n)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("another stream")
	}
}
