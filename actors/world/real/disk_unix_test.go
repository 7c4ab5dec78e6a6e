//go:build unix

package real

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kouzui/actors/world"
)

// A pipe in the place of a file must not make anybody wait.
func TestPipesAreRefused(t *testing.T) {
	dir := t.TempDir()
	f := openFolder(t, dir)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Skip(err)
	}
	for _, write := range []bool{false, true} {
		if _, err := f.Open("pipe", write); !errors.Is(err, world.ErrNotRegular) {
			t.Errorf("Open says %v", err)
		}
	}
	if _, err := f.Create("pipe"); !errors.Is(err, world.ErrNotRegular) {
		t.Errorf("Create says %v", err)
	}
	if _, err := f.Lock("pipe"); !errors.Is(err, world.ErrNotRegular) {
		t.Errorf("Lock says %v", err)
	}
}

func TestFullIsRecognised(t *testing.T) {
	f := &folder{dir: "dir"}
	for _, errno := range []syscall.Errno{unix.ENOSPC, unix.EDQUOT, unix.EFBIG} {
		err := f.fault("write", "name", &os.PathError{Op: "pwritev", Path: "x", Err: errno})
		if !errors.Is(err, world.ErrFull) || !errors.Is(err, errno) {
			t.Errorf("%v is not taken for a full disk", err)
		}
		if want := "write " + filepath.Join("dir", "name") + ": " + errno.Error(); err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
	if err := f.fault("write", "name", unix.EIO); errors.Is(err, world.ErrFull) {
		t.Errorf("%v is taken for a full disk", err)
	}
}

// /dev/full stands in for a disk that fills up during a transfer.
func TestTransferToAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	f := newFile(&folder{dir: "dir"}, "name", full)
	defer f.Close()
	var got error
	f.WriteBlocks([][]byte{make([]byte, 10)}, 0, func(err error) { got = err })
	if !errors.Is(got, world.ErrFull) {
		t.Errorf("got %v", got)
	}
}

func TestTransferBeyondTheLargestFile(t *testing.T) {
	f := openFolder(t, t.TempDir())
	file, err := f.Create("data")
	must(t, err)
	defer file.Close()
	file.WriteBlocks([][]byte{make([]byte, 10)}, 1<<62, func(err error) {
		if err == nil {
			t.Error("a file of 4 EiB was written")
		}
	})
	file.ReadBlocks([][]byte{make([]byte, 10)}, -1, func(err error) {
		if err == nil {
			t.Error("read from before the start")
		}
	})
}

// A stamp is taken of each batch that is served.
func TestStampsCostNoMemory(t *testing.T) {
	file, err := openFolder(t, t.TempDir()).Create("data")
	must(t, err)
	defer file.Close()
	if n := testing.AllocsPerRun(100, func() {
		_, err = file.Stamp()
	}); n > 0 || err != nil {
		t.Errorf("%v allocations, %v", n, err)
	}
}

// New files and folders take their modes from the user's umask.
func TestModesAreTheUsers(t *testing.T) {
	dir := t.TempDir()
	f := openFolder(t, dir)
	defer syscall.Umask(syscall.Umask(0o027))
	must(t, f.MkdirAll("a/b"))
	must(t, f.WriteFile("written", []byte("x")))
	file, err := f.Create("created")
	must(t, err)
	defer file.Close()
	must(t, f.SetExecutable("created"))
	for name, want := range map[string]os.FileMode{"a": 0o750, "a/b": 0o750, "written": 0o640, "created": 0o750} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
		}
	}
}
