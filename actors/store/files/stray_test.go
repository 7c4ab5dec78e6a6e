package files

import (
	"io/fs"
	"path"
	"testing"

	"golang.org/x/text/unicode/norm"

	"kouzui/actors/world"
	"kouzui/wire/metainfo"
)

// decomposing is a folder on a disk that takes cases for equal and decomposes
// letters, as HFS+ does.
type decomposing struct {
	world.Folder
	names map[string][]string
}

func (decomposing) Stat(string) (world.Info, error) { return world.Info{}, nil }

func (f decomposing) ReadDir(name string) (names []string, err error) {
	listed, is := f.names[name]
	if !is {
		return nil, fs.ErrNotExist
	}
	for _, n := range listed {
		names = append(names, norm.NFD.String(n))
	}
	return names, nil
}

// The torrent's own files are known by the names that the disk gives them.
func TestStrayWhereNamesAreFolded(t *testing.T) {
	m := &metainfo.Torrent{Name: "x", Files: []metainfo.File{{Path: []string{"É", "Ångström"}}, {Path: []string{"b"}}}}
	folder := decomposing{names: map[string][]string{"x.part": {"B", "é"}, "x.part/É": {"ångström"}}}
	if name, err := Stray(folder, m, "x.part"); name != "" || err != nil {
		t.Errorf("%q is taken for a stranger's, %v", name, err)
	}
	folder.names["x.part/É"] = []string{"c"}
	if name, err := Stray(folder, m, "x.part"); name != path.Join("x.part", "É", "c") || err != nil {
		t.Errorf("%q is found, %v", name, err)
	}
}
