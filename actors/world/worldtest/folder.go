package worldtest

import (
	"errors"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kouzui/actors/world"
)

func testOpen(t *testing.T, f world.Folder, open func() world.Folder) {
	_, err := f.Open("data", false)
	is(t, err, fs.ErrNotExist)
	file := create(t, f, "data")
	ok(t, write(t, file, 0, []byte("abc")))
	again := create(t, f, "data") // what it contains stays
	got := make([]byte, 3)
	ok(t, read(t, again, 0, got))
	if string(got) != "abc" {
		t.Errorf("Create changed the file to %q", got)
	}
	for _, write := range []bool{false, true} {
		opened, err := open().Open("data", write)
		ok(t, err)
		ok(t, read(t, opened, 0, got))
		var written error
		opened.WriteBlocks([][]byte{got}, 0, func(err error) { written = err })
		if (written == nil) != write {
			t.Errorf("opened with write=%v, writing gives %v", write, written)
		}
		ok(t, opened.Close())
	}
	ok(t, f.MkdirAll("folder"))
	_, err = f.Open("folder", false)
	fails(t, err)
	_, err = f.Create("folder")
	fails(t, err)
	_, err = f.ReadFile("folder", 10)
	fails(t, err)
	fails(t, f.WriteFile("folder", nil))
	_, err = f.Create("missing/data")
	is(t, err, fs.ErrNotExist)
}

func testNames(t *testing.T, f world.Folder, _ func() world.Folder) {
	ok(t, f.MkdirAll("a/b/c"))
	ok(t, f.MkdirAll("a/b/c"))
	create(t, f, "a/b/file")
	names, err := f.ReadDir("a/b")
	ok(t, err)
	slices.Sort(names)
	if diff := cmp.Diff([]string{"c", "file"}, names); diff != "" {
		t.Error(diff)
	}
	_, err = f.ReadDir("a/b/file")
	fails(t, err)
	_, err = f.ReadDir("none")
	is(t, err, fs.ErrNotExist)
	is(t, f.MkdirAll("a/b/file/d"), world.ErrNotFolder)
	_, err = f.Stat("a/b/file/d")
	is(t, err, world.ErrNotFolder)
	_, err = f.Open("a/b/file/d", false)
	is(t, err, world.ErrNotFolder)
	for _, name := range []string{".", "a", "a/b/c"} {
		info, err := f.Stat(name)
		ok(t, err)
		if !info.Mode.IsDir() {
			t.Errorf("%s has mode %v", name, info.Mode)
		}
		ok(t, f.Sync(name))
	}
	info, err := f.Stat("a/b/file")
	ok(t, err)
	if !info.Mode.IsRegular() || info.Size != 0 || info.Modified == 0 {
		t.Errorf("an empty file is described as %+v", info)
	}
	_, err = f.Stat("a/none")
	is(t, err, fs.ErrNotExist)
	is(t, f.Sync("none"), fs.ErrNotExist)
}

func testInvalidNames(t *testing.T, f world.Folder, _ func() world.Folder) {
	for _, name := range []string{"", "/", "/etc/passwd", "..", "../x", "a/../b", "a//b", "./a", "a/"} {
		for op, call := range map[string]func() error{
			"Stat":      func() error { _, err := f.Stat(name); return err },
			"ReadDir":   func() error { _, err := f.ReadDir(name); return err },
			"MkdirAll":  func() error { return f.MkdirAll(name) },
			"Open":      func() error { _, err := f.Open(name, true); return err },
			"Create":    func() error { _, err := f.Create(name); return err },
			"Rename":    func() error { return f.Rename(name, "x") },
			"Remove":    func() error { return f.Remove(name) },
			"RemoveAll": func() error { return f.RemoveAll(name) },
			"ReadFile":  func() error { _, err := f.ReadFile(name, 10); return err },
			"WriteFile": func() error { return f.WriteFile(name, nil) },
			"Lock":      func() error { _, err := f.Lock(name); return err },
			"Symlink":   func() error { return f.Symlink("x", name) },
			"SetExec":   func() error { return f.SetExecutable(name) },
		} {
			if call() == nil {
				t.Errorf("%s takes the name %q", op, name)
			}
		}
		create(t, f, "source")
		if f.Rename("source", name) == nil {
			t.Errorf("Rename takes the new name %q", name)
		}
	}
}

func testRename(t *testing.T, f world.Folder, _ func() world.Folder) {
	ok(t, f.MkdirAll("a"))
	ok(t, f.MkdirAll("b"))
	ok(t, f.WriteFile("a/one", []byte("1")))
	ok(t, f.WriteFile("b/two", []byte("2")))
	is(t, f.Rename("a/one", "b/two"), fs.ErrExist)
	is(t, f.Rename("a/one", "b"), fs.ErrExist)
	is(t, f.Rename("a", "b"), fs.ErrExist)
	is(t, f.Rename("a/none", "b/three"), fs.ErrNotExist)
	is(t, f.Rename("a/one", "none/one"), fs.ErrNotExist)
	fails(t, f.Rename("a", "a/within"))
	ok(t, f.Rename("a/one", "b/three"))
	ok(t, f.Rename("b", "c"))
	for name, want := range map[string]string{"c/two": "2", "c/three": "1"} {
		got, err := f.ReadFile(name, 10)
		ok(t, err)
		if string(got) != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
	_, err := f.Stat("a/one")
	is(t, err, fs.ErrNotExist)
}

func testRemove(t *testing.T, f world.Folder, _ func() world.Folder) {
	ok(t, f.MkdirAll("a/b"))
	ok(t, f.WriteFile("a/b/file", nil))
	fails(t, f.Remove("a"))
	ok(t, f.Remove("a/b/file"))
	is(t, f.Remove("a/b/file"), fs.ErrNotExist)
	ok(t, f.Remove("a/b"))
	ok(t, f.WriteFile("a/file", nil))
	ok(t, f.RemoveAll("a"))
	ok(t, f.RemoveAll("a"))
	ok(t, f.RemoveAll("a/none"))
	_, err := f.Stat("a")
	is(t, err, fs.ErrNotExist)
}

func testSmallFiles(t *testing.T, f world.Folder, _ func() world.Folder) {
	_, err := f.ReadFile("small", 10)
	is(t, err, fs.ErrNotExist)
	for _, content := range []string{"first", "second one", ""} {
		ok(t, f.WriteFile("small", []byte(content)))
		got, err := f.ReadFile("small", int64(len(content)))
		ok(t, err)
		if string(got) != content {
			t.Errorf("read %q, want %q", got, content)
		}
	}
	ok(t, f.WriteFile("small", []byte("four")))
	_, err = f.ReadFile("small", 3)
	fails(t, err)
	is(t, f.WriteFile(path.Join("none", "small"), nil), fs.ErrNotExist)
	want := []string{"small"}
	for _, n := range []int{236, 237, 244, 245, 255} { // as long as names may be, whatever is written beside
		want = append(want, strings.Repeat("n", n-1)+"!")
		ok(t, f.WriteFile(want[len(want)-1], []byte("long")))
	}
	slices.Sort(want)
	names, err := f.ReadDir(".")
	ok(t, err)
	slices.Sort(names)
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("something else was left behind: %s", diff)
	}
}

func testLinksAndModes(t *testing.T, f world.Folder, _ func() world.Folder) {
	if runtime.GOOS == "windows" {
		t.Skip("links take a privilege, and modes mean nothing")
	}
	ok(t, f.WriteFile("data", []byte("abc")))
	ok(t, f.SetExecutable("data"))
	info, err := f.Stat("data")
	ok(t, err)
	if info.Mode.Perm()&0o100 == 0 {
		t.Errorf("an executable file has mode %v", info.Mode)
	}
	is(t, f.Symlink("elsewhere", "data"), fs.ErrExist)
	is(t, f.Symlink("data", "none/link"), fs.ErrNotExist)
	ok(t, f.Symlink("data", "link"))
	info, err = f.Stat("link")
	ok(t, err)
	if info.Mode.Type() != fs.ModeSymlink {
		t.Errorf("a link has mode %v", info.Mode)
	}
	for _, name := range []string{"link", "."} {
		_, err = f.Open(name, false)
		is(t, err, world.ErrNotRegular)
		_, err = f.ReadFile(name, 10)
		is(t, err, world.ErrNotRegular)
		is(t, f.SetExecutable(name), world.ErrNotRegular)
	}
	is(t, f.SetExecutable("none"), fs.ErrNotExist)
	ok(t, f.Remove("link"))
	got, err := f.ReadFile("data", 10)
	ok(t, err)
	if string(got) != "abc" {
		t.Errorf("what the link led to holds %q", got)
	}
}

func testLock(t *testing.T, f world.Folder, open func() world.Folder) {
	unlock, err := f.Lock("lock")
	ok(t, err)
	for _, other := range []world.Folder{f, open()} {
		_, err := other.Lock("lock")
		is(t, err, world.ErrLocked)
	}
	another, err := f.Lock("another")
	ok(t, err)
	another()
	unlock()
	unlock()
	unlock2, err := open().Lock("lock")
	ok(t, err)
	unlock() // again: this must not release the second lock
	_, err = f.Lock("lock")
	is(t, err, world.ErrLocked)
	unlock2()

	// However many try at once, one at a time has it.
	var all sync.WaitGroup
	var holder sync.Mutex
	for range 8 {
		all.Go(func() {
			for range 50 {
				unlock, err := f.Lock("lock")
				if err != nil {
					if !errors.Is(err, world.ErrLocked) {
						t.Error(err)
					}
					continue
				}
				if !holder.TryLock() {
					t.Error("two hold the lock")
					unlock()
					return
				}
				holder.Unlock()
				unlock()
			}
		})
	}
	all.Wait()
}

func testFree(t *testing.T, f world.Folder, _ func() world.Folder) {
	n, err := f.Free()
	ok(t, err)
	if n <= 0 {
		t.Errorf("%d bytes are free", n)
	}
}
