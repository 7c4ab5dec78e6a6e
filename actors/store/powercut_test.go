package store

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/files"
	"kouzui/actors/store/resume"
	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/messages"
)

// The power fails at some of the moments at which a store changes anything on
// its disk, from the first write to the last. Whatever is left, the next store
// takes no wrong piece for right, and completes the data.
func TestPowerCut(t *testing.T) {
	for name, test := range map[string]struct {
		lengths []int64
		chosen  []uint // files, before all are wanted; nil: all from the start
	}{
		"single file":           {lengths: []int64{400_000}},
		"many files":            {lengths: []int64{100_000, 0, 70_000, 200_000, 1}},
		"some files, then all":  {[]int64{110_000, 0, 20_000, 60_000, 110_000, 1}, []uint{1, 3, 5}},
		"a file, then those by": {[]int64{60_000, 60_000, 60_000}, []uint{1}},
	} {
		t.Run(name, func(t *testing.T) {
			lengths := test.lengths
			noLeaks(t)
			w := newWorld()
			s := storetest.New(t, 50_000, lengths...)
			cuts := &cuttingDisk{Disk: w.Disk, chance: rand.New(rand.NewPCG(1, uint64(len(lengths))))}
			world := w.World()
			world.Disk = cuts
			first := &messages.SetWanted{}
			if test.chosen != nil {
				first = chose(s, test.chosen...)
			}
			r := newRig(t, world, s, "/d", choosing(first), func(c *Config) { c.HashWorkers = 1 })
			await[*messages.StoreReady](r)
			have := bitset.New(uint(s.PieceCount()))
			if first.Files != nil {
				r.sendLacking(first, have)
				await[*messages.StoreFinished](r)
				r.tell(&messages.SetWanted{})
			}
			for i := range s.PieceCount() {
				if have.Test(uint(i)) {
					continue
				}
				r.send(1, nil, s.Blocks(i)...)
				await[*messages.PieceVerified](r)
				if i%3 == 2 {
					w.Clock.AwaitTimer(saveEvery) // a journal in between
					w.Clock.Advance(saveEvery)
				}
			}
			await[*messages.StoreFinished](r)
			r.stop()

			for _, left := range cuts.left {
				resumeFrom(t, s, w, left)
			}
			if checked := resumeFrom(t, s, w, w.Disk); checked > 0 {
				t.Errorf("without a power cut %d pieces are checked", checked)
			}
		})
	}
}

// resumeFrom starts a store on what a power cut has left, and returns how many
// pieces it checked.
func resumeFrom(t *testing.T, s *storetest.Sample, w *fake.World, left *fake.Disk) int {
	right := make([]bool, s.PieceCount())
	for i := range right {
		right[i] = holds(t, s, left, i)
	}
	world := w.World()
	world.Disk = left
	r := newRig(t, world, s, "/d")
	ready := await[*messages.StoreReady](r)
	for i := range ready.Have.EachSet() {
		if !right[i] {
			t.Errorf("piece %d is taken for right and is not", i)
		}
	}
	if r.sendAll(); !ready.Complete {
		await[*messages.StoreFinished](r)
	}
	r.want(left, "/d", "data")
	r.stop()
	return ready.Checked
}

// holds tells whether a piece is on the disk.
func holds(t *testing.T, s *storetest.Sample, disk world.Disk, piece int) bool {
	folder, err := disk.OpenFolder("/d")
	ok(t, err)
	found, err := resume.Look(folder, "/d", s.Torrent)
	ok(t, err)
	want := s.Content[int64(piece)*s.PieceLength:][:s.PieceSize(piece)]
	for _, span := range found.Layout.AppendPieceSpans(nil, piece) {
		raw, err := folder.ReadFile(files.NameIn(s.Torrent, found.Base, span.File), 1<<20)
		if err != nil || int64(len(raw)) < span.Offset+span.Length ||
			!bytes.Equal(raw[span.Offset:][:span.Length], want[:span.Length]) {
			return false
		}
		want = want[span.Length:]
	}
	return true
}

// cuttingDisk keeps a copy of what a power cut would leave, after one in three
// of the calls that change anything.
type cuttingDisk struct {
	*fake.Disk
	mu     sync.Mutex
	chance *rand.Rand
	left   []*fake.Disk
}

func (d *cuttingDisk) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.chance.IntN(3) == 0 {
		d.left = append(d.left, d.PowerCut(d.chance))
	}
}

func (d *cuttingDisk) OpenFolder(dir string) (world.Folder, error) {
	f, err := d.Disk.OpenFolder(dir)
	return cuttingFolder{f, d}, err
}

type cuttingFolder struct {
	world.Folder
	disk *cuttingDisk
}

func (f cuttingFolder) MkdirAll(name string) error {
	defer f.disk.cut()
	return f.Folder.MkdirAll(name)
}

func (f cuttingFolder) Rename(from, to string) error {
	defer f.disk.cut()
	return f.Folder.Rename(from, to)
}

func (f cuttingFolder) Sync(name string) error {
	defer f.disk.cut()
	return f.Folder.Sync(name)
}

func (f cuttingFolder) WriteFile(name string, data []byte) error {
	defer f.disk.cut()
	return f.Folder.WriteFile(name, data)
}

func (f cuttingFolder) Create(name string) (world.File, error) {
	file, err := f.Folder.Create(name)
	return cuttingFile{file, f.disk}, err
}

func (f cuttingFolder) Open(name string, write bool) (world.File, error) {
	file, err := f.Folder.Open(name, write)
	if err != nil {
		return nil, err
	}
	return cuttingFile{file, f.disk}, nil
}

type cuttingFile struct {
	world.File
	disk *cuttingDisk
}

func (f cuttingFile) WriteBlocks(bufs [][]byte, off int64, done func(error)) {
	f.File.WriteBlocks(bufs, off, func(err error) {
		f.disk.cut()
		done(err)
	})
}

func (f cuttingFile) Extend(size int64) error {
	defer f.disk.cut()
	return f.File.Extend(size)
}

func (f cuttingFile) Sync(done func(error)) {
	f.File.Sync(func(err error) {
		f.disk.cut()
		done(err)
	})
}
