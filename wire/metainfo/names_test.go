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
