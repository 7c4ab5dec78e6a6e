package store

import (
	"slices"
	"strings"
	"testing"

	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// foldingDisk takes names for equal that differ only in case.
type foldingDisk struct{ world.Disk }

type foldingFolder struct{ world.Folder }

func (d foldingDisk) OpenFolder(dir string) (world.Folder, error) {
	f, err := d.Disk.OpenFolder(dir)
	return foldingFolder{f}, err
}

func (f foldingFolder) Stat(name string) (world.Info, error) {
	return f.Folder.Stat(strings.ToLower(name))
}

func (f foldingFolder) Open(name string, write bool) (world.File, error) {
	return f.Folder.Open(strings.ToLower(name), write)
}

func (f foldingFolder) Create(name string) (world.File, error) {
	return f.Folder.Create(strings.ToLower(name))
}

func (f foldingFolder) MkdirAll(name string) error { return f.Folder.MkdirAll(strings.ToLower(name)) }
func (f foldingFolder) Sync(name string) error     { return f.Folder.Sync(strings.ToLower(name)) }

func (f foldingFolder) Rename(from, to string) error {
	return f.Folder.Rename(strings.ToLower(from), strings.ToLower(to))
}

// Two files whose names differ only in case keep their names on a disk that
// tells them apart; on another disk one of them is renamed.
func TestTwins(t *testing.T) {
	s := storetest.New(t, 50_000, 100_000, 70_000)
	s.Name(t, metainfo.Spec{
		Name: "data", PieceLength: s.PieceLength,
		Files: []metainfo.FileSpec{{Path: []string{"TWIN.txt"}, Length: 100_000}, {Path: []string{"twin.txt"}, Length: 70_000}},
	})
	if s.Files[0].Original != nil || s.Files[1].Original != nil {
		t.Skip("no disk of this system tells them apart")
	}
	for name, want := range map[string][]string{
		"sensitive": {"TWIN.txt", "twin.txt"}, "folding": {"twin (2).txt", "twin.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			outside := w.World()
			if name == "folding" {
				outside.Disk = foldingDisk{w.Disk}
				folder, _ := w.Disk.OpenFolder("/d")
				ok(t, folder.MkdirAll("data.part")) // by which it is known to fold
			}
			r := begun(t, outside, s)
			r.sendAll()
			await[*messages.StoreFinished](r)
			r.stop()
			folder, _ := w.Disk.OpenFolder("/d")
			names, err := folder.ReadDir("data")
			slices.Sort(names)
			if err != nil || !slices.Equal(names, want) {
				t.Errorf("there are %q, %v", names, err)
			}
			again := newRig(t, outside, s, "/d", func(c *Config) { c.Check = messages.CheckFull })
			if ready := await[*messages.StoreReady](again); !ready.Complete {
				t.Errorf("of %d pieces %d are right", s.PieceCount(), ready.Have.Count())
			}
		})
	}
}
