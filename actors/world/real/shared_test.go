package real

import (
	"os"
	"path/filepath"
	"testing"
)

// Opening a folder that is open shares it, and closing it leaves it open for
// the others. A folder that takes its place is opened anew.
func TestFoldersAreShared(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var d Disk
	open := func() *folder {
		f, err := d.OpenFolder(dir)
		must(t, err)
		return f.(*folder)
	}
	a, b := open(), open()
	if a.root != b.root {
		t.Error("a folder is open twice")
	}
	must(t, a.Close())
	must(t, a.Close()) // gives back only its own
	must(t, b.WriteFile("there", nil))

	must(t, os.Rename(dir, dir+"-before"))
	c := open()
	if _, err := c.Stat("there"); err == nil {
		t.Error("who opens a folder gets the one that was there before")
	}
	must(t, b.WriteFile("still", nil))
	must(t, b.Close())
	must(t, c.Close())
	if n := len(d.roots.open); n != 0 {
		t.Errorf("%d folders are open that nobody uses", n)
	}
	if _, err := b.root.Stat("."); err == nil {
		t.Error("a folder that nobody uses was not closed")
	}
}
