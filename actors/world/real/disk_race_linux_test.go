package real

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// A folder and a file in it are swapped over and over for links to the outside,
// and the file for a pipe. Meanwhile every operation is tried on them: none
// touches anything outside, and none waits for the pipe.
func TestNothingEscapesWhileLinksAreSwapped(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	secret := filepath.Join(outside, "file")
	must(t, os.WriteFile(secret, []byte("secret"), 0o600))
	must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
	f := openFolder(t, dir)
	must(t, f.WriteFile("source", []byte("source")))

	sub := filepath.Join(dir, "sub")
	inside, err := os.Open(sub) // leads there whatever name it has
	must(t, err)
	defer inside.Close()
	at := int(inside.Fd())
	stop := make(chan struct{})
	var swapping sync.WaitGroup
	swap := func(at int, name string, put func() error) {
		swapping.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				// Any of these may fail, because other goroutines do the same.
				_ = unix.Renameat(at, name, at, name+".kept")
				_ = put()
				_ = unix.Unlinkat(at, name, 0)
				_ = unix.Renameat(at, name+".kept", at, name)
			}
		})
	}
	swap(unix.AT_FDCWD, sub, func() error { return os.Symlink(outside, sub) })
	swap(at, "file", func() error { return unix.Symlinkat(secret, at, "file") })
	swap(at, "piped", func() error { return unix.Mkfifoat(at, "piped", 0o600) })

	ours := []byte("ours")
	use := func(name string, write bool) {
		file, err := f.Open(name, write)
		if err == nil && write {
			file.WriteBlocks([][]byte{ours}, 0, func(error) {})
			_ = file.Extend(100)
		}
		if err == nil {
			got := make([]byte, 6)
			file.ReadBlocks([][]byte{got}, 0, func(error) {})
			if string(got) == "secret" {
				t.Error("the file outside was read")
			}
			file.Close()
		}
	}
	for range 200 {
		for _, name := range []string{"sub/file", "sub/piped"} {
			if file, err := f.Create(name); err == nil {
				file.WriteBlocks([][]byte{ours}, 0, func(error) {})
				file.Close()
			}
			use(name, true)
			use(name, false)
			if raw, err := f.ReadFile(name, 1<<10); err == nil && string(raw) == "secret" {
				t.Error("the file outside was read")
			}
			_ = f.WriteFile(name, ours)
			if unlock, err := f.Lock(name); err == nil {
				unlock()
			}
		}
		_ = f.MkdirAll("sub/new/deep")
		_ = f.Rename("source", "sub/moved")
		_ = f.Rename("sub/moved", "source")
		_ = f.Sync("sub")
		_ = f.Remove("sub/file")
		_ = f.RemoveAll("sub/new")
	}
	close(stop)
	swapping.Wait()
	entries, err := os.ReadDir(outside)
	if raw, _ := os.ReadFile(secret); err != nil || len(entries) != 1 || string(raw) != "secret" {
		t.Errorf("outside there is %v, %v, and the file holds %q", entries, err, raw)
	}
}
