package store

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/files"
	"kouzui/actors/store/resume"
	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// TestStart places data and a journal on disk and looks what a store makes of
// them.
func TestStart(t *testing.T) {
	s := storetest.New(t, 50_000, 100, 0, 70_000, 200_000, 1, 40_000, 0)
	spoil := func(b []byte) { b[120_000]++ } // in piece 2
	nothing := func(b []byte) { clear(b) }
	all := s.PieceCount()

	for name, tc := range map[string]struct {
		base      string // "": nothing is there
		change    func([]byte)
		journal   string // "": none; "right", "torn", "older", "other"
		check     messages.CheckMode
		mustExist bool

		err      error
		have     int
		checked  int
		complete bool
	}{
		"nothing":                         {},
		"nothing to seed":                 {mustExist: true, err: fs.ErrNotExist},
		"complete":                        {base: "data", have: all, checked: all, complete: true},
		"complete, journal":               {base: "data", journal: "right", have: all, complete: true},
		"complete, full check":            {base: "data", journal: "right", check: messages.CheckFull, have: all, checked: all, complete: true},
		"complete, no check":              {base: "data", check: messages.CheckNone, err: resume.ErrForeign},
		"complete, no check, to seed":     {base: "data", check: messages.CheckNone, mustExist: true},
		"complete, no check, journal":     {base: "data", journal: "right", check: messages.CheckNone, have: all, complete: true},
		"complete, torn journal":          {base: "data", journal: "torn", have: all, checked: all, complete: true},
		"complete, older journal":         {base: "data", journal: "older", have: all, checked: 5, complete: true},
		"complete, other's journal":       {base: "data", journal: "other", have: all, checked: all, complete: true},
		"spoilt":                          {base: "data", change: spoil, have: all - 1, checked: all},
		"spoilt, to seed":                 {base: "data", change: spoil, mustExist: true, have: all - 1, checked: all},
		"foreign":                         {base: "data", change: nothing, checked: all, err: resume.ErrForeign},
		"foreign, to seed":                {base: "data", change: nothing, mustExist: true, checked: all},
		"partial":                         {base: "data.part", change: spoil, have: all - 1, checked: all},
		"partial, nothing right":          {base: "data.part", change: nothing, checked: all},
		"partial, journal":                {base: "data.part", change: spoil, journal: "right", have: all},
		"partial, journal, full check":    {base: "data.part", change: spoil, journal: "right", check: messages.CheckFull, have: all - 1, checked: all},
		"partial, older journal":          {base: "data.part", change: spoil, journal: "older", have: all - 1, checked: 5},
		"partial, journal of another":     {base: "data.part", journal: "other", err: resume.ErrForeign},
		"partial, complete":               {base: "data.part", have: all, checked: all},
		"partial, complete, to be seeded": {base: "data.part", mustExist: true, have: all, checked: all},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			w := newWorld()
			if tc.base != "" {
				place(t, s, w.Disk, "/d", tc.base, tc.change)
				placeJournal(t, s, w.Disk, "/d", tc.base, tc.journal)
			}
			if tc.check == "" {
				tc.check = messages.CheckAuto
			}
			r := newRig(t, w.World(), s, "/d", func(c *Config) { c.Check, c.MustExist = tc.check, tc.mustExist })
			if tc.err != nil {
				failed := await[*messages.StoreFailed](r)
				if !errors.Is(failed.Err, tc.err) || !failed.Fatal {
					t.Fatalf("fails with %+v", failed)
				}
				if err := r.flush(); err != nil {
					t.Errorf("a store that could not start flushes with %v", err)
				}
				return
			}
			ready := await[*messages.StoreReady](r)
			if int(ready.Have.Count()) != tc.have || ready.Checked != tc.checked || ready.Complete != tc.complete {
				t.Errorf("has %d, checked %d, complete: %t", ready.Have.Count(), ready.Checked, ready.Complete)
			}
			if tc.have == all {
				await[*messages.StoreFinished](r)
			}
			if err := r.flush(); err != nil {
				t.Error(err)
			}
			r.stop()
			r.wantNoBlocks()

			if tc.check == messages.CheckNone && tc.journal == "" && tc.base != "" { // which is no check
				again := newRig(t, w.World(), s, "/d", func(c *Config) { c.MustExist = tc.mustExist })
				if ready := await[*messages.StoreReady](again); ready.Checked != all || int(ready.Have.Count()) != all {
					t.Errorf("the second time it has %d and checked %d", ready.Have.Count(), ready.Checked)
				}
			}
			if tc.checked > 0 { // never twice
				again := newRig(t, w.World(), s, "/d", func(c *Config) { c.MustExist = tc.mustExist })
				ready := await[*messages.StoreReady](again)
				if ready.Checked != 0 || int(ready.Have.Count()) != tc.have {
					t.Errorf("the second time it has %d and checked %d", ready.Have.Count(), ready.Checked)
				}
			}
		})
	}
}

func TestCheckOfWhatCannotBeRead(t *testing.T) {
	for name, tc := range map[string]struct {
		op    fake.Op
		fatal bool
	}{
		"cannot be opened": {fake.OpOpen, true},
		"cannot be read":   {fake.OpRead, false},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			w := newWorld()
			s := storetest.New(t, 50_000, 300_000)
			place(t, s, w.Disk, "/d", "data.part", nil)
			// The journal is not there, so that the first read is that of data.
			w.Disk.Fail(tc.op, 1, syscall.EIO)
			r := newRig(t, w.World(), s, "/d")
			if tc.fatal {
				if failed := await[*messages.StoreFailed](r); !failed.Fatal || !errors.Is(failed.Err, syscall.EIO) {
					t.Errorf("%+v", failed)
				}
				return
			}
			ready := await[*messages.StoreReady](r)
			if int(ready.Have.Count()) != s.PieceCount()-1 {
				t.Errorf("%d of %d pieces", ready.Have.Count(), s.PieceCount())
			}
			r.sendAll()
			await[*messages.StoreFinished](r)
			r.want(w.Disk, "/d", "data")
		})
	}
}

// Data that may only be read is seeded, without a journal.
func TestSeedFromWhereNothingCanBeWritten(t *testing.T) {
	noLeaks(t)
	w := newWorld()
	s := storetest.New(t, 50_000, 300_000)
	place(t, s, w.Disk, "/d", "data", nil)
	w.Disk.Fail(fake.OpWrite, 1000, fs.ErrPermission)
	r := newRig(t, w.World(), s, "/d", func(c *Config) { c.MustExist = true })
	if ready := await[*messages.StoreReady](r); !ready.Complete {
		t.Errorf("%+v", ready)
	}
	r.wantContent(s.Blocks(2)...)
	if err := r.flush(); err != nil {
		t.Error(err)
	}
}

// placeJournal writes a journal that vouches for everything.
func placeJournal(t *testing.T, s *storetest.Sample, disk world.Disk, dir, base, kind string) {
	if kind == "" {
		return
	}
	folder, err := disk.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	j := resume.Journal{Verified: bitset.New(uint(s.PieceCount())).Complement(), Stamps: make([]messages.Stamp, len(s.Files))}
	for i := range s.Files {
		info, err := folder.Stat(files.NameIn(s.Torrent, base, i))
		if err != nil {
			t.Fatal(err)
		}
		j.Stamps[i] = info.Stamp
	}
	of := s.Torrent
	switch kind {
	case "older":
		j.Stamps[3].Modified--
	case "other":
		another := *s.Torrent
		another.InfoHash = metainfo.Hash{1}
		of = &another
	}
	raw := j.Encode(of)
	if kind == "torn" {
		raw = raw[:len(raw)/2]
	}
	if err := folder.WriteFile(s.Torrent.JournalName(), raw); err != nil {
		t.Fatal(err)
	}
}
