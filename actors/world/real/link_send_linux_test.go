package real

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
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
	sent   [ways]int64 // bytes
	most   int         // bytes mapped at a time
	full   func()      // called when the socket is; or nil
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
		d.sent[copied] += int64(len(b))
	}
	d.memory.ReadBlocks(bufs, off, done)
}

func (d *onDisk) SendTo(socket uintptr, off int64, n int) (int, error) {
	if n = int(min(int64(n), d.refuse-off)); n <= 0 {
		return 0, errors.ErrUnsupported
	}
	n, err := d.file.SendTo(socket, off, n)
	d.sent[sendfile] += int64(max(n, 0))
	if err == unix.EAGAIN && d.full != nil {
		d.full()
	}
	return n, err
}

func (d *onDisk) Map(off int64, n int) ([]byte, error) {
	if n = int(min(int64(n), d.refuse-off)); n <= 0 {
		return nil, errors.ErrUnsupported
	}
	d.most = max(d.most, n)
	memory, err := d.file.Map(off, n)
	d.sent[mapped] += int64(len(memory))
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
				if (refuse > 0 || w == copied) && source.sent[w] == 0 || w != mapped && source.sent[mapped] > 0 || w == copied && source.sent[sendfile] > 0 {
					t.Errorf("bytes that went by sendfile, copied, mapped: %d", source.sent)
				}
				a.Close(nil)
				b.Close(nil)
				closing(t, b, got)
			})
		}
	}
}

// locked is a file of which the system maps nothing, as where all of a
// process's memory has to be locked and the limit of that is reached.
type locked struct{ *onDisk }

func (locked) Map(int64, int) ([]byte, error) { return nil, unix.EAGAIN }

// What a failed mapping returns is not taken for a full socket, which would be
// waited for though it is not full.
func TestPayloadThatCannotBeMappedIsSent(t *testing.T) {
	const blocks = 8
	m := random(blocks * buffer.Size)
	a, b := pair(t)
	a.(*link).sendBy(mapped)
	sent, got := start(a, frame.Limits{}), start(b, frame.Limits{})
	source := locked{newOnDisk(t, m, len(m.data))}
	var out []messages.Outgoing
	for i := range blocks {
		out = append(out, m.piece(i*buffer.Size, buffer.Size))
		out[i].Source = source
	}
	a.Send(out)
	for _, f := range take(t, b, got, blocks) {
		f.Block.Release()
	}
	a.Close(nil)
	b.Close(nil)
	closing(t, b, got)
	closing(t, a, sent)
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

// maps tells whether this process has mapped a file.
func maps(t *testing.T, name string) bool {
	t.Helper()
	all, err := os.ReadFile("/proc/self/maps")
	must(t, err)
	return bytes.Contains(all, []byte(name))
}

// A link maps so much at a time and no more, holds no mapped memory while its
// peer takes nothing, and goes on when the peer does.
func TestNothingIsMappedWhileTheSocketIsFull(t *testing.T) {
	l, conn := rawPair(t)
	defer conn.Close()
	l.sendBy(mapped)
	const blocks = 1024
	m := random(blocks * buffer.Size)
	source := newOnDisk(t, m, len(m.data))
	full := make(chan struct{})
	source.full = sync.OnceFunc(func() {
		if source.most != mappedLen || maps(t, source.file.(*file).os.Name()) {
			t.Errorf("%d bytes were mapped at a time, or still are", source.most)
		}
		close(full)
	})
	l.Start(frame.Limits{}, func(any) {})
	var out []messages.Outgoing
	for i := range blocks {
		out = append(out, m.piece(i*buffer.Size, buffer.Size))
		out[i].Source = source
	}
	l.Send(out)
	<-full
	want := sha1.New()
	for _, o := range out {
		_, _ = want.Write(appendHeader(nil, &o))
		_, _ = want.Write(m.data[o.Offset:][:o.Length])
	}
	got := sha1.New()
	if _, err := io.CopyN(got, conn, blocks*(buffer.Size+13)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
		t.Error("another stream")
	}
	l.Close(nil)
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

// What is not in the system's cache is not mapped.
func TestOnlyWhatIsInMemoryIsMapped(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	must(t, os.WriteFile(name, nil, 0o600))
	must(t, os.Truncate(name, 1<<20)) // a hole
	folder := openFolder(t, filepath.Dir(name))
	opened, err := folder.Open("f", true)
	must(t, err)
	f := opened.(*file)
	f.WriteBlocks([][]byte{make([]byte, 1<<16)}, 1<<18, func(err error) { must(t, err) })
	for _, c := range []struct {
		off int64
		n   int
		ok  bool
	}{{1 << 18, 1 << 16, true}, {1<<18 + 5000, 10, true}, {1<<18 + 1, 1 << 16, false}, {0, 4096, false}, {1<<20 - 1, 2, false}, {0, 0, false}, {-1, 10, false}} {
		memory, err := f.Map(c.off, c.n)
		if (err == nil) != c.ok {
			t.Errorf("%d bytes at %d: %v", c.n, c.off, err)
		}
		if err == nil {
			if len(memory) != c.n {
				t.Errorf("%d bytes at %d: %d", c.n, c.off, len(memory))
			}
			unmap(memory)
		}
	}
	must(t, f.Close())
	if _, err := f.Map(1<<18, 10); err == nil {
		t.Error("mapped when closed")
	}
	if maps(t, name) {
		t.Error("still mapped")
	}
}
