package outfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"kouzui/cmd/kouzui/internal/exit"
)

// precious makes a file of somebody else and a link to it.
func precious(t *testing.T) (file, link string) {
	t.Helper()
	dir := t.TempDir()
	file, link = filepath.Join(dir, "precious"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Skip(err)
	}
	return file, link
}

func content(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v; want %q", path, got, err, want)
	}
}

// TestCreateReplacesALink: what the link leads to stays as it is.
func TestCreateReplacesALink(t *testing.T) {
	file, link := precious(t)
	if _, err := Create(link, false); exit.Code(err) != exit.Foreign {
		t.Errorf("a link that exists: %v", err)
	}
	f, err := Create(link, true)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Discard()
	if _, err := f.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	content(t, link, "precious") // until the new file is complete
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	content(t, link, "new")
	content(t, file, "precious")
}

func TestDiscardLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	f, err := Create(filepath.Join(dir, "x"), false)
	if err != nil {
		t.Fatal(err)
	}
	f.Discard()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestOpenFollowsNoLink, and only the owner may read what is new.
func TestOpenFollowsNoLink(t *testing.T) {
	file, link := precious(t)
	for _, kind := range []Kind{Trace, Log} {
		if _, err := Open(link, kind); exit.Code(err) != exit.Foreign {
			t.Errorf("a link: %v", err)
		}
	}
	content(t, file, "precious")
	twin := file + "2"
	if err := os.Link(file, twin); err == nil && runtime.GOOS != "windows" {
		for _, kind := range []Kind{Trace, Log} {
			if _, err := Open(twin, kind); exit.Code(err) != exit.Foreign {
				t.Errorf("a hard link: %v", err)
			}
		}
		content(t, file, "precious")
	}
	path := filepath.Join(t.TempDir(), "log")
	f, err := Open(path, Log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("a new log has mode %v, %v", info.Mode(), err)
	}
	for kind, want := range map[Kind]string{Log: Trace.begins + "new", Trace: "new"} {
		if err := os.WriteFile(path, []byte(Trace.begins), 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := Open(path, kind)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.WriteString("new"); err != nil {
			t.Error(err)
		}
		again.Close()
		content(t, path, want)
	}
	if runtime.GOOS == "linux" {
		if f, err = Open("/dev/stderr", Log); err != nil {
			t.Errorf("a name of what is open already: %v", err)
		} else {
			f.Close()
		}
	}
}

// A full disk has an exit code of its own, also where a file is to be created.
func TestAFullDiskIsTold(t *testing.T) {
	for err, want := range map[error]int{syscall.ENOSPC: exit.DiskFull, syscall.EACCES: exit.Create} {
		if got := exit.Code(failed(exit.Create, &fs.PathError{Op: "create", Err: err})); got != want {
			t.Errorf("%v: exit code %d, want %d", err, got, want)
		}
	}
	if failed(exit.Create, nil) != nil {
		t.Error("no error is one")
	}
}
