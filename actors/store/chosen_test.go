package store

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"github.com/bits-and-blooms/bitset"
	"pgregory.net/rapid"

	"kouzui/actors/store/files"
	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/messages"
)

// chose is what a torrent tells its store when the user has chosen files.
func chose(s *storetest.Sample, indices ...uint) *messages.SetWanted {
	m := &messages.SetWanted{Pieces: bitset.New(uint(s.PieceCount())), Files: setOf(indices...)}
	for _, i := range indices {
		for p, end := s.FilePieces(int(i)); p < end; p++ {
			m.Pieces.Set(uint(p))
		}
	}
	return m
}

func choosing(m *messages.SetWanted) option {
	return func(c *Config) { c.Wanted, c.WantedFiles = m.Pieces, m.Files }
}

// sendLacking sends the pieces that are wanted and not in have, and adds them.
func (r *rig) sendLacking(m *messages.SetWanted, have *bitset.BitSet) {
	for i := range m.Pieces.EachSet() {
		if !have.Test(i) {
			r.send(1, nil, r.Blocks(int(i))...)
			have.Set(i)
		}
	}
}

// wantFiles looks which files of the data exist, and that those in whole are
// right.
func (r *rig) wantFiles(disk world.Disk, made, whole *bitset.BitSet) {
	r.Helper()
	folder, err := disk.OpenFolder("/d")
	if err != nil {
		r.Fatal(err)
	}
	defer folder.Close()
	for i, f := range r.Files {
		name := files.NameIn(r.Torrent, "data", i)
		got, err := folder.ReadFile(name, 1<<30)
		switch {
		case errors.Is(err, fs.ErrNotExist) != !made.Test(uint(i)):
			r.Errorf("%s: made %t: %v", name, made.Test(uint(i)), err)
		case whole.Test(uint(i)) && string(got) != string(r.Content[f.Offset:f.Offset+f.Length]):
			r.Errorf("%s is not what it should be", name)
		}
	}
}

// Of many files, at first one that shares both its pieces with others is
// wanted. The others are not made, and the data takes its final name. Later
// others are wanted, in this run and in the next, and last all.
func TestChosenFiles(t *testing.T) {
	w := newWorld()
	s := storetest.New(t, 50_000, 70_000, 0, 60_000, 20_000, 10_000, 230_000)
	have := bitset.New(uint(s.PieceCount()))
	first := chose(s, 2)
	r := begun(t, w.World(), s, choosing(first))
	r.sendLacking(first, have)
	r.finishes(false)
	r.wantFiles(w.Disk, setOf(2), setOf(2))
	for i := range have.EachSet() {
		r.wantContent(s.Blocks(int(i))...)
	}
	more := chose(s, 1, 2, 3)
	r.tell(more)
	r.sendLacking(more, have)
	r.finishes(false)
	r.wantFiles(w.Disk, setOf(1, 2, 3), setOf(1, 2, 3))
	r.stop()

	again := chose(s, 0, 2)
	r = newRig(t, w.World(), s, "/d", choosing(again))
	if ready := await[*messages.StoreReady](r); ready.Checked != 0 || !ready.Have.Equal(have) {
		t.Errorf("the next store is ready with %+v, not with %v", ready, have)
	}
	r.sendLacking(again, have)
	r.finishes(false)
	r.wantFiles(w.Disk, setOf(0, 1, 2, 3), setOf(0, 1, 2, 3))
	r.stop()

	r = newRig(t, w.World(), s, "/d")
	ready := await[*messages.StoreReady](r)
	if ready.Checked != 0 || !ready.Have.Equal(have) {
		t.Errorf("the last store is ready with %+v, not with %v", ready, have)
	}
	for i := range s.PieceCount() {
		if !have.Test(uint(i)) {
			r.send(1, nil, s.Blocks(i)...)
		}
	}
	r.finishes(true)
	r.want(w.Disk, "/d", "data")
	folder, err := w.Disk.OpenFolder("/d")
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if _, err := folder.Stat(s.SideName()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the side file is still there: %v", err)
	}
	r.wantNoBlocks()
}

// Whatever files are wanted one after the other, in one run or in several:
// those that were never wanted are not made, those that are wanted become
// right, no verified piece is lost or checked, and all that is verified can be
// served.
func TestAnyFilesAreChosen(t *testing.T) {
	rapid.Check(t, func(d *rapid.T) {
		w := newWorld()
		lengths := rapid.SliceOfN(rapid.SampledFrom([]int64{0, 1, 20_000, 32_768, 50_000, 90_000}), 2, 7).Draw(d, "lengths")
		s := storetest.New(t, 32_768, append(lengths, 40_000)...)
		have, made := bitset.New(uint(s.PieceCount())), bitset.New(uint(len(s.Files)))
		draw := func() *messages.SetWanted {
			var indices []uint
			for i := range s.Files {
				if rapid.Bool().Draw(d, "wanted") {
					indices = append(indices, uint(i))
					made.Set(uint(i))
				}
			}
			return chose(s, indices...)
		}
		m := draw()
		r := begun(t, w.World(), s, choosing(m))
		defer func() { r.stop() }()
		for range rapid.IntRange(0, 4).Draw(d, "steps") {
			r.sendLacking(m, have)
			r.finishes(int(have.Count()) == s.PieceCount())
			r.wantFiles(w.Disk, made, m.Files)
			for i := range have.EachSet() {
				r.wantContent(s.Blocks(int(i))...)
			}
			m = draw()
			if rapid.Bool().Draw(d, "goes on") {
				r.tell(m)
				continue
			}
			r.stop()
			r = newRig(t, w.World(), s, "/d", choosing(m))
			if ready := await[*messages.StoreReady](r); ready.Checked != 0 || !ready.Have.Equal(have) {
				d.Fatalf("the next store is ready with %+v, not with %v", ready, have)
			}
		}
		r.stop()
		r.wantNoBlocks()
	})
}

// Without the side file, the pieces that it had a part of are fetched again,
// and the chosen file, which no piece vouches for, is not taken for another's.
func TestTheSideFileIsLost(t *testing.T) {
	w := newWorld()
	s := storetest.New(t, 50_000, 20_000, 10_000, 20_000)
	m := chose(s, 1)
	r := begun(t, w.World(), s, choosing(m))
	r.sendLacking(m, bitset.New(1))
	r.finishes(true)
	r.stop()
	folder, err := w.Disk.OpenFolder("/d")
	ok(t, err)
	ok(t, folder.Remove(s.SideName()))
	r = newRig(t, w.World(), s, "/d", choosing(m))
	if ready := await[*messages.StoreReady](r); ready.Have.Any() {
		t.Errorf("ready with %+v", ready)
	}
	r.sendLacking(m, bitset.New(1))
	r.finishes(true)
	r.wantFiles(w.Disk, setOf(1), setOf(1))
}

// The disk refuses what is copied out of the side file; it is tried again, and
// nothing that was verified is lost.
func TestTheDiskRefusesWhatIsChosen(t *testing.T) {
	for name, tc := range map[string]struct{ fail, mend func(*fake.Disk) }{
		"broken": {func(d *fake.Disk) { d.Fail(fake.OpWrite, 1, syscall.EIO) }, func(*fake.Disk) {}},
		"full":   {func(d *fake.Disk) { d.SetCapacity(1000) }, func(d *fake.Disk) { d.SetCapacity(-1) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			s := storetest.New(t, 50_000, 20_000, 10_000, 120_000)
			have, first := bitset.New(3), chose(s, 1)
			r := begun(t, w.World(), s, choosing(first))
			r.sendLacking(first, have)
			r.finishes(false)
			tc.fail(w.Disk)
			r.tell(&messages.SetWanted{})
			await[*messages.StoreFailed](r)
			tc.mend(w.Disk)
			w.Clock.AwaitTimer(retryFirst)
			w.Clock.Advance(retryFirst)
			await[*messages.StoreRecovered](r)
			r.wantContent(s.Blocks(0)...)
			r.sendLacking(chose(s, 0, 1, 2), have)
			r.finishes(true)
			r.want(w.Disk, "/d", "data")
			r.wantNoBlocks()
		})
	}
}
