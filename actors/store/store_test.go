package store

import (
	"errors"
	"io/fs"
	"testing"

	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/buffer"
)

func TestDownload(t *testing.T) {
	for name, lengths := range map[string][]int64{
		"single file":   {300_000},
		"many files":    {100, 0, 70_000, 200_000, 1, 40_000, 0},
		"one empty one": {0},
	} {
		for where, w := range map[string]*world.World{
			"fake": newWorld().World(),
			"real": real.New(real.Options{Pool: buffer.NewPool(0)}),
		} {
			t.Run(name+", "+where, func(t *testing.T) {
				noLeaks(t)
				s := storetest.New(t, 50_000, lengths...)
				dir := t.TempDir()
				r := newRig(t, w, s, dir)
				if ready := await[*messages.StoreReady](r); ready.Complete || ready.Have.Any() || ready.Checked != 0 {
					t.Errorf("a new download is ready with %+v", ready)
				}
				r.sendAll()
				await[*messages.StoreFinished](r)
				r.want(w.Disk, dir, "data")
				r.wantNoBlocks()
				r.stop()

				// Two more stores find it complete by the journal.
				for range 2 {
					again := newRig(t, w, s, dir, func(c *Config) { c.MustExist = true })
					ready := await[*messages.StoreReady](again)
					if !ready.Complete || int(ready.Have.Count()) != s.PieceCount() || ready.Checked != 0 {
						t.Errorf("the complete data is found as %+v", ready)
					}
					again.stop()
				}
			})
		}
	}
}

func TestMustExist(t *testing.T) {
	noLeaks(t)
	w := newWorld()
	r := newRig(t, w.World(), storetest.New(t, 50_000, 300_000), "/d", func(c *Config) { c.MustExist = true })
	if failed := await[*messages.StoreFailed](r); !errors.Is(failed.Err, fs.ErrNotExist) {
		t.Error(failed.Err)
	}
}
