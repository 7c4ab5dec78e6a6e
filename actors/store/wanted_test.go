package store

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"
	"pgregory.net/rapid"

	"kouzui/actors/store/files"
	"kouzui/actors/store/hasher"
	"kouzui/actors/store/keeper"
	"kouzui/actors/store/resume"
	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/buffer"
)

func wanting(pieces ...uint) option {
	return func(c *Config) { c.Wanted = setOf(pieces...) }
}

func setOf(pieces ...uint) *bitset.BitSet {
	set := bitset.New(0)
	for _, i := range pieces {
		set.Set(i)
	}
	return set
}

// finishes waits for StoreFinished.
func (r *rig) finishes(whole bool) {
	r.Helper()
	if m := await[*messages.StoreFinished](r); (int(m.Have.Count()) == r.PieceCount()) != whole {
		r.Errorf("finished with %+v", m)
	}
}

// Half of the pieces are wanted and come; then all are wanted. Each time the
// store finishes, and the next store knows the pieces without a check.
func TestHalfIsWantedAndThenAll(t *testing.T) {
	for name, lengths := range map[string][]int64{"single file": {400_000}, "many files": {100_000, 0, 70_000, 230_000}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			s := storetest.New(t, 50_000, lengths...)
			r := begun(t, w.World(), s, wanting(0, 2, 4, 6))
			send := func(r *rig, pieces ...int) {
				for _, i := range pieces {
					r.send(1, nil, s.Blocks(i)...)
				}
			}
			send(r, 0, 2, 4, 6)
			r.finishes(false)
			r.wantContent(s.Blocks(2)...)
			r.stop()

			r = newRig(t, w.World(), s, "/d", wanting(0, 2, 4, 6))
			ready := await[*messages.StoreReady](r)
			if ready.Have.Count() != 4 || !ready.Have.IsSuperSet(setOf(0, 2, 4, 6)) || ready.Checked != 0 || !ready.Complete {
				t.Errorf("the next store is ready with %+v", ready)
			}
			r.finishes(false)
			r.tell(&messages.SetWanted{Pieces: setOf(0, 2)}) // fewer
			r.finishes(false)
			r.tell(&messages.SetWanted{Pieces: setOf(0, 1, 2)}) // others
			send(r, 1)
			r.finishes(false)
			r.tell(&messages.SetWanted{})
			send(r, 3, 5, 7)
			r.finishes(true)
			r.want(w.Disk, "/d", "data")
			r.tell(&messages.SetWanted{Pieces: setOf(1)})
			r.finishes(true)
			r.wantNoBlocks()
			r.stop()

			r = newRig(t, w.World(), s, "/d", wanting(7))
			if ready := await[*messages.StoreReady](r); ready.Have.Count() != 8 || ready.Checked != 0 || !ready.Complete {
				t.Errorf("the store after that is ready with %+v", ready)
			}
			r.finishes(true)
		})
	}
}

// Pieces that come though they are not wanted count all the same: when none is
// missing the data takes its final name.
func TestUnwantedPiecesMakeItWhole(t *testing.T) {
	w := newWorld()
	s := storetest.New(t, 50_000, 150_000)
	r := begun(t, w.World(), s, wanting(1))
	r.send(1, nil, s.Blocks(0)...)
	r.send(1, nil, s.Blocks(1)...)
	r.finishes(false)
	r.send(1, nil, s.Blocks(2)...)
	r.finishes(true)
	r.want(w.Disk, "/d", "data")
}

// A store of which nothing is wanted finishes at once and creates no file.
func TestNothingIsWanted(t *testing.T) {
	w := newWorld()
	r := begun(t, w.World(), storetest.New(t, 50_000, 150_000), wanting())
	r.finishes(false)
	folder, _ := w.Disk.OpenFolder("/d")
	if names, err := folder.ReadDir("."); err != nil || slices.ContainsFunc(names, func(n string) bool { return n == "data" || n == "data.part" }) {
		t.Errorf("there are %q, %v", names, err)
	}
}

// Only wanted pieces need room on disk.
func TestRoomForWhatIsWanted(t *testing.T) {
	noLeaks(t)
	w := newWorld()
	w.Disk.SetCapacity(120_000)
	s := storetest.New(t, 50_000, 150_000)
	r := newRig(t, w.World(), s, "/d")
	if failed := await[*messages.StoreFailed](r); !failed.Full || !failed.Fatal {
		t.Errorf("%+v", failed)
	}
	r.stop()
	r = newRig(t, w.World(), s, "/d", wanting(0, 1))
	await[*messages.StoreReady](r)
}

// A core is told in any order which pieces are wanted and which have come; no
// actor is needed for that. It says StoreFinished if and only if the wanted
// pieces are synced and in the journal, and has the data take its final name
// only when all pieces are.
func TestCoreFinishesWhatIsWanted(t *testing.T) {
	s := storetest.New(t, 1000, 8000)
	pieces := uint(s.PieceCount())
	rapid.Check(t, func(t *rapid.T) {
		folder, err := fake.New(1).Disk.OpenFolder("/d")
		if err != nil {
			t.Fatal(err)
		}
		found, err := resume.Look(folder, "/d", s.Torrent)
		if err != nil {
			t.Fatal(err)
		}
		draw := func() *bitset.BitSet {
			if rapid.Bool().Draw(t, "all") {
				return nil
			}
			set := bitset.New(pieces)
			for i := range pieces {
				set.SetTo(i, rapid.Bool().Draw(t, "wanted"))
			}
			return set
		}
		f := files.New(s.Torrent, 8, func(int, error) {}, func() {})
		core := newCore(Config{Torrent: s.Torrent, Memory: 1 << 20, Pool: buffer.NewPool(10), Wanted: draw()}, f, 1, world.Machine{Together: 9})

		// What a shell, a hash worker and a keeper would do.
		synced, saved := bitset.New(pieces), bitset.New(pieces)
		named, finished := false, 0
		var batch *hasher.Batch
		var chore *keeper.Chore
		carryOut := func() {
			core.advance()
			core.out.Flush(func(_ *actor.PID, m any) {
				said, is := m.(*messages.StoreFinished)
				if !is {
					return
				}
				finished++
				wanted := core.Wanted
				if wanted == nil {
					wanted = bitset.New(pieces).Complement()
				}
				if !synced.IsSuperSet(wanted) || !saved.IsSuperSet(wanted) || !saved.IsSuperSet(said.Have) || (said.Have.Count() == pieces) != named {
					t.Fatalf("finished (%+v) with %v wanted, %v synced, %v saved, final name: %t", said, wanted, synced, saved, named)
				}
			})
			for _, b := range core.out.batches {
				batch = b
			}
			core.out.batches = nil
			if core.out.chore {
				core.out.chore, chore = false, core.keeper.chore
			}
		}
		look := core.keeper.chore
		look.Found, look.Free = found, -1
		core.keeperReady(&keeper.Ready{Deliver: func(any) {}})
		core.out.chore = false
		core.workerReady(&hasher.Ready{Deliver: func(any) {}})
		core.choreDone(look)
		core.recalled(&messages.PiecesKnown{})
		carryOut()

		left := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7}).Draw(t, "order")
		work := map[string]func(*rapid.T){
			"a piece comes": func(*rapid.T) {
				if len(left) == 0 {
					return
				}
				for _, b := range s.Blocks(left[0]) {
					data := core.Pool.Fit(int(b.Length))
					core.storeBlocks(&messages.StoreBlocks{Blocks: []messages.StoredBlock{{Block: b, Data: data}}}, time.Time{})
				}
				left = left[1:]
			},
			"a hash worker is done": func(*rapid.T) {
				if batch == nil {
					return
				}
				jobs := batch.Jobs
				batch = nil
				for _, j := range jobs {
					j.Good = true
					core.jobDone(j, time.Time{})
				}
			},
			"the keeper is done": func(t *rapid.T) {
				m := chore
				if m == nil {
					return
				}
				chore = nil
				if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
					m.Err = errors.New("disk")
				} else {
					synced, saved, named = m.Verified, m.Verified, named || m.Whole
				}
				core.choreDone(m)
				if core.health.failed {
					core.retryDue()
				}
			},
			"other pieces are wanted": func(*rapid.T) {
				core.setWanted(draw(), nil)
				finished = 0
			},
			"the journal is due": func(*rapid.T) { core.saveDue() },
		}
		step := func(name string) { work[name](t); carryOut() }
		names := slices.Sorted(maps.Keys(work))
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			step(rapid.SampledFrom(names).Draw(t, "step"))
		}
		for len(left) > 0 || batch != nil || chore != nil {
			step("a piece comes")
			step("a hash worker is done")
			step("the keeper is done")
		}
		if finished < 1 || finished > 2 || !named {
			t.Fatalf("all is there: finished %d times, final name: %t", finished, named)
		}
	})
}
