package world_test

import (
	"io/fs"
	"strings"
	"testing"

	"kouzui/actors/world"
	"kouzui/messages"
)

// names is a folder with files of these names. If fold is set, it folds their
// case.
type names struct {
	world.Folder
	list []string
	fold func(string) string
}

func (n names) Stat(name string) (world.Info, error) {
	for i, other := range n.list {
		if n.fold(other) == n.fold(name) {
			return world.Info{Stamp: messages.Stamp{ID: uint64(i + 1)}}, nil
		}
	}
	return world.Info{}, fs.ErrNotExist
}

func TestFolds(t *testing.T) {
	exact := func(name string) string { return name }
	for _, c := range []struct {
		fold func(string) string
		list []string
		want bool
	}{
		{exact, []string{"a"}, false},
		{exact, []string{"a", "A"}, false},
		{strings.ToLower, []string{"a"}, true},
		{strings.ToLower, nil, false},
		{strings.ToLower, []string{"1", "b"}, true},
		{strings.ToLower, []string{"1"}, false},
	} {
		if got := world.Folds(names{list: c.list, fold: c.fold}, "a", "1", "b"); got != c.want {
			t.Errorf("%v: %v", c.list, got)
		}
	}
}
