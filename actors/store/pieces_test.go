package store

import (
	"errors"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/store/hasher"
	"kouzui/actors/store/keeper"
	"kouzui/actors/store/resume"
	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/messages"
)

func begun(t *testing.T, w *world.World, s *storetest.Sample, options ...option) *rig {
	t.Helper()
	noLeaks(t)
	r := newRig(t, w, s, "/d", options...)
	await[*messages.StoreReady](r)
	return r
}

func TestCorruptPieceIsBlamed(t *testing.T) {
	w := newWorld()
	r := begun(t, w.World(), storetest.New(t, 64<<10, 100_000))
	wrong := func(b []byte) { b[0]++ }
	blocks := r.Blocks(0)

	// Peers 1 and 3 send right blocks, peer 2 a wrong one.
	r.send(1, nil, blocks[0], blocks[3])
	r.send(2, wrong, blocks[1])
	r.send(3, nil, blocks[2])
	corrupt := await[*messages.PieceCorrupt](r)
	if corrupt.Piece != 0 || !slices.Equal(corrupt.Contributors, []messages.PeerKey{1, 2, 3}) {
		t.Errorf("%+v", corrupt)
	}
	// Now peer 4 sends the whole piece, wrong.
	r.send(4, wrong, blocks...)
	if corrupt := await[*messages.PieceCorrupt](r); !slices.Equal(corrupt.Contributors, []messages.PeerKey{4}) {
		t.Errorf("%+v", corrupt)
	}
	r.send(1, nil, blocks...)
	await[*messages.PieceVerified](r)
	if proof := await[*messages.BlameProven](r); proof.Piece != 0 || !slices.Equal(proof.Peers, []messages.PeerKey{2, 4}) {
		t.Errorf("%+v", proof)
	}
	r.wantNoBlocks()

	// Nothing wrong was ever written.
	r.send(1, nil, r.Blocks(1)...)
	await[*messages.StoreFinished](r)
	r.want(w.Disk, "/d", "data")
}

// DropPiece forgets the blocks of an unfinished piece, so that they are not
// mixed with those that come later. A whole piece is not dropped but judged by
// its hash.
func TestADroppedPieceComesAgain(t *testing.T) {
	w := newWorld()
	r := begun(t, w.World(), storetest.New(t, 64<<10, 100_000))
	blocks := r.Blocks(0)
	r.send(1, func(b []byte) { b[0]++ }, blocks[1])
	r.tell(&messages.DropPiece{Piece: 0})
	if dropped := await[*messages.PieceDropped](r); dropped.Piece != 0 {
		t.Errorf("%+v", dropped)
	}
	r.wantNoBlocks()
	r.send(2, nil, blocks...)
	r.tell(&messages.DropPiece{Piece: 0})
	await[*messages.PieceVerified](r)
	r.tell(&messages.DropPiece{Piece: 1})
	if dropped := await[*messages.PieceDropped](r); dropped.Piece != 1 {
		t.Errorf("%+v", dropped)
	}
	r.send(2, nil, r.Blocks(1)...)
	await[*messages.StoreFinished](r)
	r.want(w.Disk, "/d", "data")
}

func TestUselessBlocksAreReleased(t *testing.T) {
	r := begun(t, newWorld().World(), storetest.New(t, 64<<10, 100_000))
	blocks := r.Blocks(0)
	r.send(1, nil, blocks[0], blocks[0], blocks[1])
	r.send(2, nil, blocks[1:]...)
	await[*messages.PieceVerified](r)
	r.send(3, nil, blocks...)
	r.send(4, nil, messages.Block{Piece: 0, Begin: 10, Length: 20})
	bad := r.pool.Get()
	r.tell(&messages.StoreBlocks{Blocks: []messages.StoredBlock{{Block: messages.Block{Piece: 9, Length: 16 << 10}, Data: bad}}})
	r.flush()
	r.wantNoBlocks()
}

func TestSpill(t *testing.T) {
	for name, spoilt := range map[string]bool{"right": false, "corrupt": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			s := storetest.New(t, 256<<10, 100_000, 400_000, 286_432)
			r := begun(t, w.World(), s)
			r.tell(&messages.SetMemory{Bytes: 256 << 10})
			for i := range s.PieceCount() {
				blocks := s.Blocks(i)
				slices.Reverse(blocks)
				if spoilt {
					r.send(7, func(b []byte) { b[1]++ }, blocks[0])
				} else {
					r.send(7, nil, blocks[0])
				}
				r.send(1, nil, blocks[1:len(blocks)-1]...)
			}
			if spilled := await[*messages.BlocksSpilled](r); spilled.Blocks == 0 {
				t.Errorf("%+v", spilled)
			}
			for i := range s.PieceCount() {
				r.send(1, nil, s.Blocks(i)[0])
			}
			if spoilt {
				for range s.PieceCount() {
					await[*messages.PieceCorrupt](r)
				}
				for i := range s.PieceCount() {
					r.send(2, nil, s.Blocks(i)...)
				}
				for range s.PieceCount() {
					if proof := await[*messages.BlameProven](r); !slices.Equal(proof.Peers, []messages.PeerKey{7}) {
						t.Errorf("%+v", proof)
					}
				}
			}
			await[*messages.StoreFinished](r)
			r.want(w.Disk, "/d", "data")
			r.wantNoBlocks()
		})
	}
}

func TestNoRoom(t *testing.T) {
	noLeaks(t)
	w := newWorld()
	w.Disk.SetCapacity(99_000)
	r := newRig(t, w.World(), storetest.New(t, 64<<10, 100_000), "/d")
	failed := await[*messages.StoreFailed](r)
	if !failed.Full || !failed.Fatal || !errors.Is(failed.Err, world.ErrFull) {
		t.Errorf("%+v", failed)
	}
}

func TestDiskRefusesAndRecovers(t *testing.T) {
	for name, tc := range map[string]struct {
		fail, mend func(*fake.Disk)
		full       bool
	}{
		"full": {func(d *fake.Disk) { d.SetCapacity(100_000) }, func(d *fake.Disk) { d.SetCapacity(-1) }, true},
		"broken": {func(d *fake.Disk) { d.Fail(fake.OpWrite, 1000, syscall.EIO) },
			func(d *fake.Disk) { d.Fail(fake.OpWrite, 0, nil) }, false},
		"cannot be opened": {func(d *fake.Disk) { d.Fail(fake.OpOpen, 1000, syscall.EMFILE) },
			func(d *fake.Disk) { d.Fail(fake.OpOpen, 0, nil) }, false},
		"cannot rename": {func(d *fake.Disk) { d.Fail(fake.OpRename, 1, syscall.EIO) }, func(d *fake.Disk) {}, false},
		"cannot sync":   {func(d *fake.Disk) { d.Fail(fake.OpSync, 1, syscall.EIO) }, func(d *fake.Disk) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			r := begun(t, w.World(), storetest.New(t, 64<<10, 1_000_000))
			tc.fail(w.Disk)
			r.sendAll()
			failed := await[*messages.StoreFailed](r)
			if failed.Full != tc.full || failed.Fatal || errors.Is(failed.Err, world.ErrFull) != tc.full {
				t.Errorf("%+v", failed)
			}
			tc.mend(w.Disk)
			w.Clock.AwaitTimer(retryFirst)
			w.Clock.Advance(retryFirst)
			await[*messages.StoreRecovered](r)
			await[*messages.StoreFinished](r)
			r.want(w.Disk, "/d", "data")
			r.wantNoBlocks()
		})
	}
}

func TestRetriesBackOff(t *testing.T) {
	w := newWorld()
	r := begun(t, w.World(), storetest.New(t, 64<<10, 1_000_000))
	w.Disk.Fail(fake.OpWrite, 1000, syscall.EIO)
	r.sendAll()
	await[*messages.StoreFailed](r)
	for _, wait := range []int{1, 2, 4, 8, 16, 30, 30} {
		w.Clock.AwaitTimer(retryFirst * time.Duration(wait))
		w.Clock.Advance(retryFirst * time.Duration(wait))
	}
	w.Clock.AwaitTimer(retryMost)
	if n := len(r.heard); n != 0 {
		t.Errorf("the scheduler hears of it %d times more", n)
	}
	// Flush does not wait for blocks that cannot be written.
	w.Disk.Fail(fake.OpWrite, 0, nil)
	r.tell(&messages.Flush{ReplyTo: r.scheduler})
	await[*messages.Flushed](r)
}

func TestNameIsTakenMeanwhile(t *testing.T) {
	w := newWorld()
	r := begun(t, w.World(), storetest.New(t, 64<<10, 100_000))
	folder, _ := w.Disk.OpenFolder("/d")
	if err := folder.WriteFile("data", []byte("mine")); err != nil {
		t.Fatal(err)
	}
	r.sendAll()
	failed := await[*messages.StoreFailed](r)
	if !errors.Is(failed.Err, resume.ErrForeign) || !failed.Fatal {
		t.Errorf("%+v", failed)
	}
	if mine, err := folder.ReadFile("data", 100); string(mine) != "mine" {
		t.Errorf("overwritten: %q, %v", mine, err)
	}
	r.want(w.Disk, "/d", "data.part")
}

func TestSecondStoreIsLockedOut(t *testing.T) {
	w := newWorld()
	s := storetest.New(t, 64<<10, 100_000)
	begun(t, w.World(), s)
	other := newRig(t, w.World(), s, "/d")
	if failed := await[*messages.StoreFailed](other); !errors.Is(failed.Err, world.ErrLocked) || !failed.Fatal {
		t.Errorf("%+v", failed)
	}
}

// A hash worker or keeper that dies is given its work once more. If it dies of
// the same work again, the store fails, and another begins with what is on
// disk.
func TestWorkerDies(t *testing.T) {
	s := storetest.New(t, 64<<10, 60_000) // one piece: no timer but the supervisor's is ever set
	batch := func(m any) bool { _, is := m.(*hasher.Batch); return is }
	chore := func(m any) bool { _, is := m.(*keeper.Chore); return is }
	for name, tc := range map[string]struct {
		victim func(message any) bool
		times  int
	}{
		"hash worker, once":  {batch, 1},
		"hash worker, twice": {batch, 2},
		"keeper, once":       {chore, 1},
		"keeper, twice":      {chore, 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			r := begun(t, w.World(), s, func(c *Config) { c.HashWorkers = 1 })
			var left atomic.Int32
			left.Store(int32(tc.times))
			r.tree.Inject(func(_, _ string, message any) (in supervise.Injection) {
				if tc.victim(message) && left.Add(-1) >= 0 {
					in.Reason = "test"
				}
				return in
			})
			r.sendAll()
			for range tc.times {
				w.Clock.RunNext(time.Second)
			}
			if tc.times > maxLost {
				w.Clock.RunNext(time.Second)
				await[*messages.StoreReady](r)
				r.sendAll()
			}
			await[*messages.StoreFinished](r)
			r.want(w.Disk, "/d", "data")
		})
	}
}

// lateDisk answers from other goroutines, after the call has returned.
type lateDisk struct{ world.Disk }
type lateFolder struct{ world.Folder }
type lateFile struct{ world.File }

func (d lateDisk) OpenFolder(dir string) (world.Folder, error) {
	f, err := d.Disk.OpenFolder(dir)
	return lateFolder{f}, err
}

func (f lateFolder) Open(name string, write bool) (world.File, error) {
	file, err := f.Folder.Open(name, write)
	if err != nil {
		return nil, err
	}
	return lateFile{file}, nil
}

func (f lateFolder) Create(name string) (world.File, error) {
	file, err := f.Folder.Create(name)
	if err != nil {
		return nil, err
	}
	return lateFile{file}, nil
}

func (f lateFile) ReadBlocks(bufs [][]byte, off int64, done func(error)) {
	go f.File.ReadBlocks(bufs, off, done)
}

func (f lateFile) WriteBlocks(bufs [][]byte, off int64, done func(error)) {
	go f.File.WriteBlocks(bufs, off, done)
}

func (f lateFile) Sync(done func(error)) { go f.File.Sync(done) }

func TestDiskThatAnswersLate(t *testing.T) {
	w := newWorld()
	world := w.World()
	world.Disk = lateDisk{w.Disk}
	s := storetest.New(t, 200_000, 100, 0, 1_000_000, 40_000)
	r := begun(t, world, s)
	r.tell(&messages.SetMemory{Bytes: 100_000})
	r.sendAll()
	await[*messages.StoreFinished](r)
	r.want(w.Disk, "/d", "data")
	r.stop()

	again := newRig(t, world, s, "/d", func(c *Config) { c.Check = messages.CheckFull })
	if ready := await[*messages.StoreReady](again); !ready.Complete || ready.Checked != s.PieceCount() {
		t.Errorf("%+v", ready)
	}
}
