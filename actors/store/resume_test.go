package store

import (
	"testing"
	"time"

	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/messages"
)

// savingDisk tells when a journal has been written.
type savingDisk struct {
	world.Disk
	saved chan struct{}
}

type savingFolder struct {
	world.Folder
	saved chan struct{}
}

func (d savingDisk) OpenFolder(dir string) (world.Folder, error) {
	f, err := d.Disk.OpenFolder(dir)
	return savingFolder{f, d.saved}, err
}

func (f savingFolder) WriteFile(name string, data []byte) error {
	err := f.Folder.WriteFile(name, data)
	f.saved <- struct{}{}
	return err
}

// The next store knows the pieces that were verified, whether the store before
// it was flushed, has saved its journal, or was killed without.
func TestResume(t *testing.T) {
	for name, tc := range map[string]struct {
		flush, save, more bool // what happens before the end, in this order
		have              int
		checked           bool
	}{
		"after a flush":                           {flush: true, have: 3},
		"killed":                                  {have: 3, checked: true},
		"killed after the journal was saved":      {save: true, have: 3},
		"killed when more had come since":         {save: true, more: true, have: 4, checked: true},
		"killed when more had come after a flush": {flush: true, more: true, have: 4, checked: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			saved := make(chan struct{}, 100)
			world := w.World()
			world.Disk = savingDisk{w.Disk, saved}
			s := storetest.New(t, 50_000, 100_000, 70_000, 200_000)
			r := begun(t, world, s)
			for _, piece := range []int{0, 2, 3} {
				r.send(1, nil, s.Blocks(piece)...)
				await[*messages.PieceVerified](r)
			}
			<-saved                            // the claim
			r.send(1, nil, s.Blocks(4)[1:]...) // unfinished
			r.settle()                         // messages left in a mailbox at the end would leak their blocks
			if tc.flush {
				if err := r.flush(); err != nil {
					t.Error(err)
				}
				<-saved
			}
			if tc.save {
				w.Clock.AwaitTimer(saveEvery)
				w.Clock.Advance(saveEvery)
				<-saved
			}
			if tc.more {
				w.Clock.Advance(time.Millisecond)
				r.send(1, nil, s.Blocks(5)...)
				await[*messages.PieceVerified](r)
			}
			r.stop()
			r.wantNoBlocks()

			again := newRig(t, world, s, "/d")
			ready := await[*messages.StoreReady](again)
			if int(ready.Have.Count()) != tc.have || (ready.Checked > 0) != tc.checked {
				t.Errorf("has %d, checked %d", ready.Have.Count(), ready.Checked)
			}
			again.sendAll()
			await[*messages.StoreFinished](again)
			again.want(w.Disk, "/d", "data")
		})
	}
}
