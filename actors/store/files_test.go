package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// padded is a torrent with a padding file (BEP 47) between two others.
func padded(t *testing.T) *sample {
	s := &sample{content: make([]byte, 1000+24+2000)}
	rand.NewChaCha8([32]byte{1}).Read(s.content)
	clear(s.content[1000:1024])
	pieces := sumsOf(s.content, 1024)
	raw := fmt.Sprintf("d4:infod5:filesl"+
		"d6:lengthi1000e4:pathl1:aee"+
		"d4:attr1:p6:lengthi24e4:pathl4:.pad2:24ee"+
		"d6:lengthi2000e4:pathl1:bee"+
		"e4:name4:data12:piece lengthi1024e6:pieces%d:%see", len(pieces), pieces)
	var err error
	if s.Torrent, err = metainfo.Parse([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPadding(t *testing.T) {
	w := newWorld()
	s := padded(t)
	r := begun(t, w.World(), s)
	r.sendAll()
	await[*messages.StoreFinished](r)
	r.want(w.Disk, "/d", "data")
	folder, _ := w.Disk.OpenFolder("/d")
	if names, err := folder.ReadDir("data"); len(names) != 2 {
		t.Errorf("there are %q, %v", names, err)
	}
	r.wantContent(s.blocks(0)...)
	r.stop()
	again := newRig(t, w.World(), s, "/d", func(c *Config) { c.Check = messages.CheckFull })
	if ready := await[*messages.StoreReady](again); !ready.Complete || ready.Checked != s.PieceCount() {
		t.Errorf("%+v", ready)
	}
}

// lease asks what of pieces may be served.
func (r *rig) lease(pieces ...uint32) *messages.PiecesServable {
	r.Helper()
	r.tell(&messages.QueryServable{Link: 7, Pieces: pieces, ReplyTo: r.scheduler})
	leased := await[*messages.PiecesServable](r)
	if leased.Link != 7 || !slices.Equal(leased.Pieces, pieces) {
		r.Errorf("asked for %d, answered %+v", pieces, leased)
	}
	return leased
}

// wantContent leases the pieces of blocks and reads them.
func (r *rig) wantContent(blocks ...messages.Block) {
	r.Helper()
	for _, b := range blocks {
		leased := r.lease(b.Piece)
		if len(leased.Runs) != 1 || !leased.Runs[0].Holds(b.Piece) {
			r.Errorf("of piece %d there is %v", b.Piece, leased.Runs)
		}
		got := make([]byte, b.Length)
		half := len(got) / 2
		answer := make(chan error, 1)
		leased.Source.ReadBlocks([][]byte{got[:half], got[half:]}, int64(b.Piece)*r.PieceLength+int64(b.Begin), func(err error) { answer <- err })
		if err := <-answer; err != nil || !bytes.Equal(got, r.bytes(b)) {
			r.Errorf("block %v is not what it should be: %v", b, err)
		}
	}
}

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

// filesIn are the files as they are found in a folder.
func (s *sample) filesIn(t *testing.T, folder world.Folder) *files {
	t.Helper()
	found, err := look(folder, s.Torrent)
	ok(t, err)
	f := newFiles(s.Torrent, 10, func(_ int, err error) { t.Error(err) }, func() {})
	ok(t, f.attach(folder, func() {}, s.Torrent, found.base, found.stamps))
	return f
}

func TestSendingEndsWithTheFile(t *testing.T) {
	w := newWorld()
	s := padded(t)
	s.place(t, w.Disk, "/d", "data", nil)
	folder, err := w.Disk.OpenFolder("/d")
	if err != nil {
		t.Fatal(err)
	}
	can := &willing{Folder: folder}
	files := s.filesIn(t, can)
	src := &source{files}
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
	}
	if want := []string{"data/a 0+500 to 9", "data/a 900+100 to 9", "data/b 0+2000 to 9"}; !slices.Equal(can.asked, want) {
		t.Errorf("asked for %q", can.asked)
	}
	if n := testing.AllocsPerRun(20, func() { can.asked = can.asked[:0]; _, _ = src.SendTo(9, 1010, 1) }); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
	files.close()
	if _, err := src.SendTo(9, 0, 1); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}

	if folder, err = w.Disk.OpenFolder("/d"); err != nil {
		t.Fatal(err)
	}
	plain := s.filesIn(t, folder)
	defer plain.close()
	if _, err := (&source{plain}).SendTo(9, 0, 1); err != errors.ErrUnsupported {
		t.Error(err)
	}
}

func TestOnlyVerifiedIsServed(t *testing.T) {
	w := newWorld()
	s := newSample(t, 50_000, 100, 0, 70_000, 200_000)
	r := begun(t, w.World(), s)
	r.send(1, nil, s.blocks(1)...)
	await[*messages.PieceVerified](r)
	r.send(1, nil, s.blocks(2)[0])
	r.wantContent(s.blocks(1)...)

	if runs := r.lease(0, 1, 2, 1, 99).Runs; !slices.Equal(runs, []messages.PieceRun{{From: 1, To: 2}}) {
		t.Errorf("may serve %v", runs)
	}

	// The source goes on when the data takes its final name, and ends with the
	// store.
	source := r.lease(1).Source
	r.sendAll()
	await[*messages.StoreFinished](r)
	if runs := r.lease(3, 0).Runs; !slices.Equal(runs, []messages.PieceRun{{From: 0, To: uint32(s.PieceCount())}}) {
		t.Errorf("of what is complete it serves %v", runs)
	}
	r.wantContent(s.blocks(1)...)
	r.wantContent(s.blocks(4)...)
	outside := func(off int64) (err error) {
		source.ReadBlocks([][]byte{make([]byte, 10)}, off, func(e error) { err = e })
		return err
	}
	if err := outside(s.Length - 5); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("past the end: %v", err)
	}
	r.stop()
	if err := outside(0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after the store: %v", err)
	}
}

// countingFolder counts the files that are open.
type countingFolder struct {
	world.Folder
	open, most atomic.Int64
}

type countedFile struct {
	world.File
	folder *countingFolder
}

func (f *countingFolder) count(file world.File, err error) (world.File, error) {
	if err != nil {
		return nil, err
	}
	n := f.open.Add(1)
	for most := f.most.Load(); n > most && !f.most.CompareAndSwap(most, n); most = f.most.Load() {
	}
	return &countedFile{file, f}, nil
}

func (f *countingFolder) Open(name string, write bool) (world.File, error) {
	return f.count(f.Folder.Open(name, write))
}

func (f *countingFolder) Create(name string) (world.File, error) {
	return f.count(f.Folder.Create(name))
}

func (f *countedFile) Close() error {
	f.folder.open.Add(-1)
	return f.File.Close()
}

// Many readers and writers over more files than may be open, while the data is
// renamed: every byte is right, few files are open at a time, none in the end.
func TestOpenFilesAreBounded(t *testing.T) {
	const limit, users = 4, 6
	lengths := make([]int64, 40)
	for i := range lengths {
		lengths[i] = int64(1000 + 13*i)
	}
	s := newSample(t, 1000, lengths...)
	w := newWorld()
	plain, err := w.Disk.OpenFolder("/d")
	if err != nil {
		t.Fatal(err)
	}
	folder := &countingFolder{Folder: plain}
	unlocked := 0
	f := newFiles(s.Torrent, limit, func(_ int, err error) { t.Error(err) }, func() {})
	if err := f.attach(folder, func() { unlocked++ }, s.Torrent, "a", nowhere(s.Torrent)); err != nil {
		t.Fatal(err)
	}
	f.transfer(toWrite, [][]byte{s.content}, 0, func(err error) {
		if err != nil {
			t.Error(err)
		}
	})
	folder.most.Store(0)
	var all sync.WaitGroup
	for user := range users {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(user)))
			for range 300 {
				off := rnd.Int64N(s.Length)
				want := s.content[off:min(off+1+rnd.Int64N(2500), s.Length)]
				got := bytes.Clone(want)
				to := toWrite
				if user%3 != 0 {
					to = toServe
					clear(got)
				}
				cut := rnd.IntN(len(got))
				f.transfer(to, [][]byte{got[:cut], got[cut:]}, off, func(err error) {
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("%d bytes at %d: %v", len(want), off, err)
					}
				})
			}
		})
	}
	for _, base := range []string{"b", "c", "d"} {
		if err := f.relocate(base); err != nil {
			t.Error(err)
		}
	}
	all.Wait()
	// A transfer of 2500 bytes has at most four files open, and each may be open
	// for reading and for writing.
	if most := folder.most.Load(); most > limit+2*4*users {
		t.Errorf("%d files were open at once", most)
	}
	if open := folder.open.Load(); open > limit {
		t.Errorf("%d files are kept open", open)
	}
	f.close()
	f.close()
	if open := folder.open.Load(); open != 0 || unlocked != 1 {
		t.Errorf("%d files are left open, unlocked %d times", open, unlocked)
	}
	if err := f.attach(folder, func() { unlocked++ }, s.Torrent, "a", nowhere(s.Torrent)); !errors.Is(err, fs.ErrClosed) || unlocked != 2 {
		t.Errorf("attached after its end: %v, unlocked %d times", err, unlocked)
	}
}
