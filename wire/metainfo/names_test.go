package metainfo

import (
	"slices"
	"strings"
	"testing"
)

func TestNamesBeside(t *testing.T) {
	long := strings.Repeat("ä", MaxPathPart/2)
	for name, want := range map[string]string{
		"a":  "a.part .a.kouzui .a.kouzui.lock",
		long: "",
	} {
		tor := &Torrent{Name: name}
		names := []string{tor.PartName(), tor.JournalName(), tor.LockName()}
		if want != "" && strings.Join(names, " ") != want {
			t.Error(names)
		}
		for i, n := range names {
			if len(n) > MaxPathPart || strings.ToValidUTF8(n, "?") != n || slices.Contains(names[:i], n) || n == tor.Name {
				t.Errorf("%q: %d bytes", n, len(n))
			}
		}
	}
}

// The content of one torrent never has the name of what lies beside another's.
func TestNamesThatAreOurOwn(t *testing.T) {
	for name, want := range map[string]string{
		"x.part": "x.part_", "x.PART": "x.PART_", ".x.kouzui": ".x.kouzui_", ".x.kouzui.lock": ".x.kouzui.lock_", ".x.kouzui.kouzui-new": ".x.kouzui.kouzui-new_",
		"x.part1.rar": "x.part1.rar", "x.kouzui": "x.kouzui", "x.parts": "x.parts",
	} {
		got := mustParse(t, torrent(setInfo("name", name)))
		if got.Name != want || got.Files[0].Path[0] != want || (len(got.Warnings) > 0) != (name != want) {
			t.Errorf("%q became %q, warnings %q", name, got.Name, got.Warnings)
		}
	}
	long := strings.Repeat("x", MaxPathPart-5) + ".part"
	if got := mustParse(t, torrent(setInfo("name", long))); len(got.Name) != MaxPathPart || strings.HasSuffix(got.Name, ".part") {
		t.Errorf("%q became %q", long, got.Name)
	}
}
