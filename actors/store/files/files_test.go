package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/messages"
)

// willing is a disk whose files can send themselves.
type willing struct {
	world.Folder
	asked []string
}

type willingFile struct {
	world.File
	folder *willing
	name   string
}

func (w *willing) Open(name string, write bool) (world.File, error) {
	f, err := w.Folder.Open(name, write)
	return &willingFile{f, w, name}, err
}

func (f *willingFile) SendTo(socket uintptr, off int64, n int) (int, error) {
	f.folder.asked = append(f.folder.asked, fmt.Sprintf("%s %d+%d to %d", f.name, off, n, socket))
	return n, nil
}

func (f *willingFile) Map(off int64, n int) ([]byte, error) {
	f.folder.asked = append(f.folder.asked, fmt.Sprintf("%s %d+%d", f.name, off, n))
	return make([]byte, n), nil
}

// nowhere are the stamps of files that do not exist.
func nowhere(s *storetest.Sample) []messages.Stamp {
	return slices.Repeat([]messages.Stamp{Absent}, len(s.Files))
}

// attached returns the files of a folder in which there are none yet, or that
// look as stamps say.
func attached(t *testing.T, s *storetest.Sample, folder world.Folder, stamps []messages.Stamp) *Files {
	t.Helper()
	f := New(s.Torrent, 10, func(_ int, err error) { t.Error(err) }, func() {})
	if err := f.Attach(folder, func() {}, s.Torrent, "data", NewLayout(s.Torrent), stamps); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSendingEndsWithTheFile(t *testing.T) {
	disk := fake.New(1).Disk
	s := storetest.Padded(t, 1024, 1000, -24, 2000)
	folder := func() world.Folder {
		folder, err := disk.OpenFolder("/d")
		if err != nil {
			t.Fatal(err)
		}
		return folder
	}
	before := attached(t, s, folder(), nowhere(s))
	before.Transfer(Write, [][]byte{s.Content}, 0, func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	})
	stamps := before.Stamps()
	before.Close()

	can := &willing{Folder: folder()}
	src := attached(t, s, can, stamps)
	for _, tc := range []struct {
		off  int64
		n    int
		want int
		err  error
	}{
		{0, 500, 500, nil}, {900, 500, 100, nil}, {1010, 500, 0, errors.ErrUnsupported}, {1024, 2000, 2000, nil},
		{3024, 1, 0, io.ErrUnexpectedEOF}, {-1, 1, 0, io.ErrUnexpectedEOF},
	} {
		if n, err := src.SendTo(9, tc.off, tc.n); n != tc.want || err != tc.err {
			t.Errorf("at %d: %d, %v", tc.off, n, err)
		}
		if m, err := src.Map(tc.off, tc.n); len(m) != tc.want || err != tc.err {
			t.Errorf("mapped at %d: %d, %v", tc.off, len(m), err)
		}
	}
	want := []string{
		"data/file0 0+500 to 9", "data/file0 0+500", "data/file0 900+100 to 9", "data/file0 900+100", "data/file2 0+2000 to 9", "data/file2 0+2000",
	}
	if !slices.Equal(can.asked, want) {
		t.Errorf("asked for %q", can.asked)
	}
	if n := testing.AllocsPerRun(20, func() { can.asked = can.asked[:0]; _, _ = src.SendTo(9, 1010, 1) }); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
	src.Close()
	if _, err := src.SendTo(9, 0, 1); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}

	plain := attached(t, s, folder(), stamps)
	defer plain.Close()
	if _, err := plain.SendTo(9, 0, 1); err != errors.ErrUnsupported {
		t.Error(err)
	}
}

// Many goroutines read and write more files than may be open, while the data is
// renamed. Every byte is right, few files are open at a time, and none in the
// end.
func TestOpenFilesAreBounded(t *testing.T) {
	const limit, users = 4, 6
	lengths := make([]int64, 40)
	for i := range lengths {
		lengths[i] = int64(1000 + 13*i)
	}
	s := storetest.New(t, 1000, lengths...)
	plain, err := fake.New(1).Disk.OpenFolder("/d")
	if err != nil {
		t.Fatal(err)
	}
	folder := &storetest.CountingFolder{Folder: plain}
	unlocked := 0
	f := New(s.Torrent, limit, func(_ int, err error) { t.Error(err) }, func() {})
	if err := f.Attach(folder, func() { unlocked++ }, s.Torrent, "a", NewLayout(s.Torrent), nowhere(s)); err != nil {
		t.Fatal(err)
	}
	f.Transfer(Write, [][]byte{s.Content}, 0, func(err error) {
		if err != nil {
			t.Error(err)
		}
	})
	folder.Most.Store(0)
	var all sync.WaitGroup
	for user := range users {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(user)))
			for range 300 {
				off := rnd.Int64N(s.Length)
				want := s.Content[off:min(off+1+rnd.Int64N(2500), s.Length)]
				got := bytes.Clone(want)
				to := Write
				if user%3 != 0 {
					to = Serve
					clear(got)
				}
				cut := rnd.IntN(len(got))
				f.Transfer(to, [][]byte{got[:cut], got[cut:]}, off, func(err error) {
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("%d bytes at %d: %v", len(want), off, err)
					}
				})
			}
		})
	}
	for _, base := range []string{"b", "c", "d"} {
		if err := f.Rename(base); err != nil {
			t.Error(err)
		}
	}
	all.Wait()
	// A transfer of 2500 bytes has at most four files open, and each may be open
	// for reading and for writing.
	if most := folder.Most.Load(); most > limit+2*4*users {
		t.Errorf("%d files were open at once", most)
	}
	if open := folder.Files.Load(); open > limit {
		t.Errorf("%d files are kept open", open)
	}
	f.Close()
	f.Close()
	if open := folder.Files.Load(); open != 0 || unlocked != 1 {
		t.Errorf("%d files are left open, unlocked %d times", open, unlocked)
	}
	if err := f.Attach(folder, func() { unlocked++ }, s.Torrent, "a", NewLayout(s.Torrent), nowhere(s)); !errors.Is(err, fs.ErrClosed) || unlocked != 2 {
		t.Errorf("attached after its end: %v, unlocked %d times", err, unlocked)
	}
}
