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

// The files beside content are known by their names, however long those are.
func TestBookkeepingIsKnown(t *testing.T) {
	for n := 1; n <= MaxPathPart; n++ {
		for _, letter := range []string{"a", "ä", "電"} {
			tor := &Torrent{Name: strings.Repeat(letter, n/len(letter)+1), InfoHash: Hash{1, 2, 3, 4}}
			if len(tor.Name) > MaxPathPart {
				continue
			}
			for _, name := range []string{tor.JournalName(), tor.LockName()} {
				if !Bookkeeping(name) || !BelongsTo(name, tor.PartName()) {
					t.Errorf("%q is not known beside %q", name, tor.PartName())
				}
				if BelongsTo(name, "b"+tor.PartName()) || BelongsTo(name, tor.Name) || BelongsTo(tor.Name, tor.PartName()) {
					t.Errorf("%q: too much is known", tor.Name)
				}
			}
		}
	}
	if BelongsTo(".x~01020304.kouzui", "xy.part") || Bookkeeping(".kouzui") || Bookkeeping("x.kouzui") {
		t.Error("what is not cut, or no journal, is known")
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
