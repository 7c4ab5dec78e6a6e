package store

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/files"
	"kouzui/actors/store/resume"
	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/messages"
)

// A name proves nothing: what may be a stranger's is neither written to nor
// renamed, unless the user forces it; the torrent's own is resumed.
func TestWhatIsNotShownToBeOurs(t *testing.T) {
	strange := func(b []byte) {
		for i := range b {
			b[i] = byte(i%251) + 1
		}
	}
	write := func(name, text string) func(*testing.T, world.Folder, *storetest.Sample) {
		return func(t *testing.T, f world.Folder, _ *storetest.Sample) { ok(t, f.WriteFile(name, []byte(text))) }
	}
	claim := func(t *testing.T, f world.Folder, s *storetest.Sample) {
		ok(t, f.WriteFile(s.JournalName(), resume.Claim(s.Torrent)))
	}
	claimed := func(t *testing.T, f world.Folder, s *storetest.Sample) {
		j := resume.Journal{
			Stamps:   slices.Repeat([]messages.Stamp{files.Absent}, len(s.Files)),
			Verified: bitset.New(uint(s.PieceCount())).Set(2),
		}
		ok(t, f.WriteFile(s.JournalName(), j.Encode(s.Torrent)))
	}
	single, many := []int64{400_000}, []int64{100_000, 70_000, 200_000}
	for name, tc := range map[string]struct {
		lengths []int64
		base    string // "": nothing is there
		change  func([]byte)
		more    func(*testing.T, world.Folder, *storetest.Sample)
		foreign bool
		force   bool // makes it ours
	}{
		"a stranger's file":                     {single, "data.part", strange, nil, true, true},
		"a stranger's folder":                   {many, "data.part", strange, nil, true, true},
		"claimed, nothing right yet":            {single, "data.part", strange, claim, false, false},
		"a journal of other data":               {single, "data.part", strange, claimed, true, true},
		"zeros":                                 {single, "data.part", func(b []byte) { clear(b) }, nil, false, false},
		"one piece is right":                    {single, "data.part", func(b []byte) { strange(b[50_000:]) }, nil, false, false},
		"a stranger's file in our folder":       {many, "data.part", nil, write("data.part/dir0/mine", "x"), true, true},
		"a system's file in our folder":         {many, "data.part", nil, write("data.part/.DS_Store", "x"), false, false},
		"a shadow of a file in our folder":      {many, "data.part", nil, write("data.part/dir0/._mine", "x"), false, false},
		"a stranger's file for a folder":        {many, "", nil, write("data.part", "x"), true, false},
		"a stranger's file shorter than pieces": {single, "", nil, write("data.part", "mine"), true, true},
		"an empty file":                         {single, "", nil, write("data.part", ""), false, false},
		"a stranger's file for the journal":     {single, "", nil, write(".data.kouzui", strings.Repeat("mine", 5<<20)), true, true},
		"a stranger's file for a folder below": {many, "", nil, func(t *testing.T, f world.Folder, _ *storetest.Sample) {
			ok(t, f.MkdirAll("data"))
			ok(t, f.WriteFile("data/dir0", []byte("mine")))
		}, true, false},
		"a stranger's folder for a file": {single, "", nil, func(t *testing.T, f world.Folder, _ *storetest.Sample) {
			ok(t, f.MkdirAll("data.part"))
		}, true, false},
		"a stranger's longer file":   {single, "", nil, write("data.part", strings.Repeat("mine", 1<<20)), true, false},
		"a stranger's complete name": {single, "data", strange, nil, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			w := newWorld()
			s := storetest.New(t, 50_000, tc.lengths...)
			if tc.base != "" {
				place(t, s, w.Disk, "/d", tc.base, tc.change)
			}
			folder, err := w.Disk.OpenFolder("/d")
			ok(t, err)
			if tc.more != nil {
				tc.more(t, folder, s)
			}
			if tc.foreign {
				before := tree(t, folder, ".")
				r := newRig(t, w.World(), s, "/d")
				if failed := await[*messages.StoreFailed](r); !failed.Fatal || !errors.Is(failed.Err, resume.ErrForeign) {
					t.Errorf("%+v", failed)
				} else if errors.Is(failed.Err, messages.ErrInTheWay) == tc.force {
					t.Errorf("the user is told wrongly whether force helps: %v", failed.Err)
				}
				r.stop()
				if after := tree(t, folder, "."); !bytes.Equal(before, after) {
					t.Errorf("changed from %.200q to %.200q", before, after)
				}
				if !tc.force {
					return
				}
			}
			r := newRig(t, w.World(), s, "/d", func(c *Config) { c.Force = tc.force })
			await[*messages.StoreReady](r)
			r.sendAll()
			await[*messages.StoreFinished](r)
			r.want(w.Disk, "/d", "data")
		})
	}
}

// Among right files lies one that may be a stranger's, by the name of a file of
// the torrent. What other clients leave is taken over.
func TestAStrangersFileAmongOurs(t *testing.T) {
	const piece = 4 * block
	lengths := []int64{3 * piece, 2*piece + 100, 3*piece - 100, 100, 2*piece - 100}
	for name, tc := range map[string]struct {
		file    int
		content func(right []byte) []byte
		journal bool
		foreign bool
	}{
		"other content":                         {1, noise, false, true},
		"other content, claimed":                {1, noise, true, false},
		"other content, shorter":                {1, func(b []byte) []byte { return noise(b[:piece+77]) }, false, true},
		"a few words":                           {1, func([]byte) []byte { return []byte("mine") }, false, true},
		"zeros":                                 {1, func(b []byte) []byte { return make([]byte, len(b)) }, false, false},
		"nothing":                               {1, func([]byte) []byte { return nil }, false, false},
		"some blocks, then zeros":               {1, func(b []byte) []byte { clear(b[block:]); return b }, false, false},
		"some blocks, then a hole":              {1, func(b []byte) []byte { clear(b[:2*block]); clear(b[3*block:]); return b }, false, false},
		"some blocks, then its end":             {1, func(b []byte) []byte { return b[:3*block] }, false, false},
		"a right piece, then other content":     {1, func(b []byte) []byte { noise(b[piece:]); return b }, false, false},
		"in its full length, less than a piece": {3, noise, false, false},
		"shorter, less than a piece":            {3, func(b []byte) []byte { return noise(b[:50]) }, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			w := newWorld()
			s := storetest.New(t, piece, lengths...)
			place(t, s, w.Disk, "/d", "data", nil)
			folder, err := w.Disk.OpenFolder("/d")
			ok(t, err)
			file := files.NameIn(s.Torrent, "data", tc.file)
			at := s.Files[tc.file].Offset
			ok(t, folder.WriteFile(file, tc.content(bytes.Clone(s.Content[at:at+s.Files[tc.file].Length]))))
			if tc.journal {
				ok(t, folder.WriteFile(s.JournalName(), resume.Claim(s.Torrent)))
			}
			before := tree(t, folder, ".")
			r := newRig(t, w.World(), s, "/d")
			for m := range r.heard {
				if failed, is := m.(*messages.StoreFailed); is {
					if !tc.foreign || !failed.Fatal || !errors.Is(failed.Err, resume.ErrForeign) || !strings.Contains(failed.Err.Error(), file) {
						t.Fatalf("%+v", failed)
					}
					r.stop()
					if after := tree(t, folder, "."); !bytes.Equal(before, after) {
						t.Error("something was written")
					}
					r = newRig(t, w.World(), s, "/d", func(c *Config) { c.Force = true })
					await[*messages.StoreReady](r)
					break
				}
				if _, is := m.(*messages.StoreReady); is {
					if tc.foreign {
						t.Fatal("it is taken for the torrent's")
					}
					break
				}
			}
			r.sendAll()
			await[*messages.StoreFinished](r)
			r.want(w.Disk, "/d", "data")
		})
	}
}

// noise replaces bytes by others, none of which are zero.
func noise(b []byte) []byte {
	for i := range b {
		b[i] = byte(i%251) + 1
	}
	return b
}

// The claim is on the disk before the first byte of data, so that a download
// killed at any moment is resumed, and what appears while it runs is not moved.
func TestClaim(t *testing.T) {
	noLeaks(t)
	w := newWorld()
	s := storetest.New(t, 50_000, 100_000, 70_000)
	folder, err := w.Disk.OpenFolder("/d")
	ok(t, err)
	r := newRig(t, w.World(), s, "/d")
	await[*messages.StoreReady](r)
	if there := tree(t, folder, "."); len(there) > 0 {
		t.Errorf("before anything has come there is %.200q", there)
	}
	r.send(1, nil, s.Blocks(0)...)
	await[*messages.PieceVerified](r)
	if raw, err := folder.ReadFile(s.JournalName(), 1<<20); err != nil || !bytes.Equal(raw, resume.Claim(s.Torrent)) {
		t.Errorf("the journal is %q, %v", raw, err)
	}
	ok(t, folder.WriteFile("data.part/mine", []byte("x")))
	for i := 1; i < s.PieceCount(); i++ {
		r.send(1, nil, s.Blocks(i)...)
	}
	if failed := await[*messages.StoreFailed](r); !failed.Fatal || !errors.Is(failed.Err, resume.ErrForeign) {
		t.Errorf("%+v", failed)
	}
	r.want(w.Disk, "/d", "data.part")
}

// tree is all that is in a folder.
func tree(t *testing.T, folder world.Folder, dir string) (all []byte) {
	t.Helper()
	names, err := folder.ReadDir(dir)
	ok(t, err)
	slices.Sort(names)
	for _, name := range names {
		if dir != "." {
			name = dir + "/" + name
		}
		all = append(all, name...)
		if info, err := folder.Stat(name); err == nil && info.Mode.IsDir() {
			all = append(all, tree(t, folder, name)...)
			continue
		}
		raw, err := folder.ReadFile(name, 1<<30)
		ok(t, err)
		all = append(all, raw...)
	}
	return all
}
