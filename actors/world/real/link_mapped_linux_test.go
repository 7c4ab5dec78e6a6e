package real

import (
	"bytes"
	"crypto/sha1"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

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

// placed is a file that is mapped only while the mapping has a place.
type placed struct {
	*onDisk
	*testing.T
	maps *atomic.Int64
}

func (p placed) Map(off int64, length int) ([]byte, error) {
	p.maps.Add(1)
	if len(mapping) == 0 {
		p.Error("a mapping without a place")
	}
	return p.onDisk.Map(off, length)
}

// Each mapping has one of the places that bound how much is mapped at a time,
// and gives it back: also where more links send than there are places.
func TestMappingsAreBounded(t *testing.T) {
	const blocks = 32
	m := random(blocks * buffer.Size)
	var maps atomic.Int64
	source := placed{newOnDisk(t, m, len(m.data)), t, &maps}
	var takes, closes, ends []func()
	for range 3 * cap(mapping) {
		a, b := pair(t)
		a.(*link).sendBy(mapped)
		sent, got := start(a, frame.Limits{}), start(b, frame.Limits{})
		var out []messages.Outgoing
		for i := range blocks {
			out = append(out, m.piece(i*buffer.Size, buffer.Size))
			out[i].Source = source
		}
		a.Send(out)
		takes = append(takes, func() {
			for _, f := range take(t, b, got, blocks) {
				f.Block.Release()
			}
		})
		closes = append(closes, func() {
			a.Close(nil)
			b.Close(nil)
		})
		ends = append(ends, func() {
			closing(t, b, got)
			closing(t, a, sent)
		})
	}
	for _, f := range slices.Concat(takes, closes, ends) {
		f()
	}
	if maps.Load() == 0 {
		t.Error("nothing was mapped")
	}
	if n := len(mapping); n != 0 {
		t.Errorf("%d places are taken", n)
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
		if source.most.Load() != mappedLen || maps(t, source.file.(*file).os.Name()) {
			t.Errorf("%d bytes were mapped at a time, or still are", source.most.Load())
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
