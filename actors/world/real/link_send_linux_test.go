package real

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"go.uber.org/goleak"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

// allWays are those that a link can be made to take.
var allWays = []way{sendfile, copied, mapped}

// sendBy makes a link send payload in one way only.
func (l *link) sendBy(w way) { l.costs = &wayCosts{chosen: w, left: 1 << 62} }

// onDisk is a torrent in one file. From the offset refuse on, its bytes can
// only be read.
type onDisk struct {
	*memory
	file   world.SocketFile
	refuse int64
	sent   [ways]atomic.Int64 // bytes
	most   atomic.Int64       // bytes mapped at a time
	full   func()             // called when the socket is; or nil
}

func newOnDisk(t *testing.T, m *memory, refuse int) *onDisk {
	folder := openFolder(t, t.TempDir())
	file, err := folder.Create("f")
	must(t, err)
	t.Cleanup(func() { file.Close() })
	file.WriteBlocks([][]byte{m.data}, 0, func(err error) { must(t, err) })
	return &onDisk{memory: m, file: file.(world.SocketFile), refuse: int64(refuse)}
}

func (d *onDisk) ReadBlocks(bufs [][]byte, off int64, done func(error)) {
	for _, b := range bufs {
		d.sent[copied].Add(int64(len(b)))
	}
	d.memory.ReadBlocks(bufs, off, done)
}

func (d *onDisk) SendTo(socket uintptr, off int64, n int) (int, error) {
	if n = int(min(int64(n), d.refuse-off)); n <= 0 {
		return 0, errors.ErrUnsupported
	}
	n, err := d.file.SendTo(socket, off, n)
	d.sent[sendfile].Add(int64(max(n, 0)))
	if err == unix.EAGAIN && d.full != nil {
		d.full()
	}
	return n, err
}

func (d *onDisk) Map(off int64, n int) ([]byte, error) {
	if n = int(min(int64(n), d.refuse-off)); n <= 0 {
		return nil, errors.ErrUnsupported
	}
	for most := d.most.Load(); int64(n) > most && !d.most.CompareAndSwap(most, int64(n)); most = d.most.Load() {
	}
	memory, err := d.file.Map(off, n)
	d.sent[mapped].Add(int64(len(memory)))
	return memory, err
}

func TestPayloadGoesInTheChosenWayAsFarAsItCan(t *testing.T) {
	const blocks = 300
	m := random(blocks * buffer.Size)
	for name, refuse := range map[string]int{
		"all": len(m.data), "none": 0, "up to the midst of a block": 40*buffer.Size + 1000, "up to a block": 70 * buffer.Size,
	} {
		for _, w := range allWays {
			t.Run(name+" "+w.String(), func(t *testing.T) {
				defer goleak.VerifyNone(t)
				a, b := pair(t)
				a.(*link).sendBy(w)
				source := newOnDisk(t, m, refuse)
				sent, got := start(a, frame.Limits{}), start(b, frame.Limits{})
				var out []messages.Outgoing
				for i := range blocks {
					piece := m.piece(i*buffer.Size, buffer.Size)
					if i%10 != 9 {
						piece.Source = source
					}
					if i%3 != 1 {
						out = append(out, messages.Outgoing{Frame: frame.Frame{Kind: frame.Have, Index: uint32(i)}})
					}
					out = append(out, piece)
				}
				a.Send(out)
				for i, f := range take(t, b, got, len(out)) {
					if f.Kind != out[i].Kind || f.Index != out[i].Index {
						t.Fatalf("frame %d is %v %d", i, f.Kind, f.Index)
					}
					if f.Kind == frame.Piece {
						if !bytes.Equal(f.Block.Bytes(), m.data[out[i].Offset:][:buffer.Size]) {
							t.Fatalf("payload of frame %d is wrong", i)
						}
						f.Block.Release()
					}
				}
				for pieces, payload := 0, 0; pieces < blocks || payload < len(m.data); {
					report := (<-sent).(*messages.FramesSent)
					pieces, payload = pieces+report.Pieces, payload+report.Payload
					if pieces > blocks || payload > len(m.data) {
						t.Errorf("reported %d pieces of %d bytes", pieces, payload)
					}
				}
				bySendfile, byCopy, byMap := source.sent[sendfile].Load(), source.sent[copied].Load(), source.sent[mapped].Load()
				if (refuse > 0 || w == copied) && source.sent[w].Load() == 0 || w != mapped && byMap > 0 || w == copied && bySendfile > 0 {
					t.Errorf("bytes that went by sendfile, copied, mapped: %d, %d, %d", bySendfile, byCopy, byMap)
				}
				a.Close(nil)
				b.Close(nil)
				closing(t, b, got)
			})
		}
	}
}

// shrinking is a file that becomes shorter after it was mapped.
type shrinking struct {
	world.SocketFile
	cut func()
}

func (s *shrinking) Map(off int64, n int) ([]byte, error) {
	memory, err := s.SocketFile.Map(off, n)
	s.cut()
	return memory, err
}

// If a file has become shorter, the read that follows finds out, and nothing
// is killed that has mapped it.
func TestFileThatEndsEarlyClosesTheLink(t *testing.T) {
	for _, w := range allWays {
		for _, left := range []int64{0, 1000, 20 * buffer.Size} {
			l, conn := rawPair(t)
			l.sendBy(w)
			go func() { _, _ = io.Copy(io.Discard, conn) }()
			events := start(l, frame.Limits{})
			m := random(40 * buffer.Size)
			source := newOnDisk(t, m, len(m.data))
			name := source.file.(*file).os.Name()
			cut := func() { must(t, os.Truncate(name, left)) }
			if w != mapped {
				cut()
			}
			var out []messages.Outgoing
			for i := range 40 {
				out = append(out, m.piece(i*buffer.Size, buffer.Size))
				out[i].Source = &shrinking{source.file, cut}
				if i > 0 {
					out[i].Source = out[0].Source
				}
			}
			l.Send(out)
			if err := lastOf(events); !errors.Is(<-err, io.ErrUnexpectedEOF) {
				t.Errorf("%v, %d bytes left: %v", w, left, err)
			}
			conn.Close()
		}
	}
}

// Sending payload is measured until the cheapest way is known, and what was
// found is told.
func TestSendingIsMeasured(t *testing.T) {
	l, conn := rawPair(t)
	defer conn.Close()
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	const blocks = 64
	m := random(blocks * buffer.Size)
	source := newOnDisk(t, m, len(m.data))
	found := make(chan *messages.SendingMeasured, 1)
	sent := make(chan int, 1024)
	l.Start(frame.Limits{}, func(e any) {
		switch e := e.(type) {
		case *messages.FramesSent:
			sent <- e.Pieces
		case *messages.SendingMeasured:
			found <- e
		}
	})
	var out []messages.Outgoing
	for i := range blocks {
		out = append(out, m.piece(i*buffer.Size, buffer.Size))
		out[i].Source = source
	}
	for range 100 * wayAttempts {
		l.Send(out)
		for n := 0; n < blocks; {
			n += <-sent
		}
		select {
		case e := <-found:
			if e.Link != l.id || e.Sendfile <= 0 || e.Copied <= 0 || e.Mapped <= 0 {
				t.Errorf("%+v", e)
			}
			if w, _ := l.costs.choose(true); w.String() != e.Chosen {
				t.Errorf("%v, but %+v", w, e)
			}
			l.Close(nil)
			return
		default:
		}
	}
	t.Error("not measured")
}
