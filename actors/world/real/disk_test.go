package real

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kouzui/actors/world"
	"kouzui/actors/world/worldtest"
)

func TestDisk(t *testing.T) {
	worldtest.Disk(t, new(Disk), func(t *testing.T) string { return t.TempDir() })
}

func openFolder(t testing.TB, dir string) world.Folder {
	t.Helper()
	f, err := new(Disk).OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpenFolderMakesItAndFollowsTheUsersLinks(t *testing.T) {
	dir := t.TempDir()
	openFolder(t, filepath.Join(dir, "a", "b"))
	symlink(t, filepath.Join(dir, "a"), filepath.Join(dir, "link"))
	f := openFolder(t, filepath.Join(dir, "link"))
	if info, err := f.Stat("b"); err != nil || !info.Mode.IsDir() {
		t.Error(info, err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	if _, err := new(Disk).OpenFolder(filepath.Join(dir, "file")); err == nil {
		t.Error("a file was opened as a folder")
	}
}

func symlink(t testing.TB, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Skip("no symbolic links here:", err)
	}
}

// Nothing reaches out of the folder, and no link is taken for a file.
func TestLinksLeadNowhere(t *testing.T) {
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600))
	dir := t.TempDir()
	f := openFolder(t, dir)
	must(t, f.WriteFile("inside", []byte("inside")))
	symlink(t, outside, filepath.Join(dir, "out"))
	symlink(t, filepath.Join(outside, "secret"), filepath.Join(dir, "file"))
	symlink(t, filepath.Join(outside, "new"), filepath.Join(dir, "dangling"))
	symlink(t, "inside", filepath.Join(dir, "near"))

	for _, name := range []string{"out/secret", "out/new", "file", "dangling", "near"} {
		for op, call := range map[string]func() error{
			"Open":     func() error { _, err := f.Open(name, false); return err },
			"Create":   func() error { _, err := f.Create(name); return err },
			"ReadFile": func() error { _, err := f.ReadFile(name, 100); return err },
			"Lock":     func() error { _, err := f.Lock(name); return err },
		} {
			if err := call(); err == nil {
				t.Errorf("%s follows the link %q", op, name)
			}
		}
	}
	for op, err := range map[string]error{
		"MkdirAll":  f.MkdirAll("out/new"),
		"Rename":    f.Rename("inside", "out/new"),
		"Rename in": f.Rename("out/secret", "taken"),
		"Remove":    f.Remove("out/secret"),
		"RemoveAll": f.RemoveAll("out/secret"),
		"WriteFile": f.WriteFile("out/new", nil),
		"Sync":      f.Sync("out"),
	} {
		if err == nil {
			t.Errorf("%s reaches out of the folder", op)
		}
	}
	if _, err := f.ReadDir("out"); err == nil {
		t.Error("ReadDir reaches out of the folder")
	}
	info, err := f.Stat("file")
	if err != nil || info.Mode&fs.ModeSymlink == 0 {
		t.Errorf("Stat of a link: %+v, %v", info, err)
	}
	must(t, f.WriteFile("file", []byte("own"))) // takes the link's place
	must(t, f.RemoveAll("out"))                 // removes the link
	if got, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(got) != "secret" {
		t.Errorf("the file outside holds %q, %v", got, err)
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside there is %v, %v", entries, err)
	}
}

func TestErrorsNameTheFileInOneLine(t *testing.T) {
	dir := t.TempDir()
	f := openFolder(t, dir)
	_, err := f.Open("a/none", false)
	want := "open " + filepath.Join(dir, "a", "none") + ": "
	if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error()[len(want):], ":") {
		t.Errorf("got %v, want %s...", err, want)
	}
}

// What a crash left of a file that was being written makes room; what somebody
// else has called so stays.
func TestWriteFileReplacesWhatACrashLeft(t *testing.T) {
	long := strings.Repeat("n", longestName-3) // its temporary name is a hash's
	for name, tc := range map[string]struct {
		name, left string
		stays      bool
	}{
		"nothing":      {"state", "", false},
		"zeros":        {"state", "\x00\x00\x00", false},
		"half of it":   {"state", "state of 1", false},
		"an older":     {"state", "state of 17 pieces: no", false},
		"a stranger's": {"state", "dear diary", true},
	} {
		t.Run(name, func(t *testing.T) {
			f := openFolder(t, t.TempDir())
			must(t, f.WriteFile(tc.name+newSuffix, []byte(tc.left)))
			must(t, f.WriteFile(tc.name, []byte("state of 17 pieces: yes")))
			got, err := f.ReadFile(tc.name+newSuffix, 100)
			if stays := err == nil && string(got) == tc.left; stays != tc.stays {
				t.Errorf("of what was there is %q, %v", got, err)
			}
			if got, err := f.ReadFile(tc.name, 100); err != nil || string(got) != "state of 17 pieces: yes" {
				t.Errorf("there is %q, %v", got, err)
			}
		})
	}
	f := openFolder(t, t.TempDir())
	sum := sha1.Sum([]byte(long))
	stranger := "." + hex.EncodeToString(sum[:]) + newSuffix
	must(t, f.WriteFile(stranger, []byte("dear diary")))
	if err := f.WriteFile(long, []byte("state")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("no temporary name is free: %v", err)
	}
	if got, err := f.ReadFile(stranger, 100); err != nil || string(got) != "dear diary" {
		t.Errorf("there is %q, %v", got, err)
	}
}

// A lock is empty. A file that is not is somebody else's, and stays.
func TestAFileThatIsNoLock(t *testing.T) {
	f := openFolder(t, t.TempDir())
	must(t, f.WriteFile("lock", []byte("mine")))
	if _, err := f.Lock("lock"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Lock says %v", err)
	}
	if got, err := f.ReadFile("lock", 100); err != nil || string(got) != "mine" {
		t.Errorf("there is %q, %v", got, err)
	}
}

// A lock that this process holds, by whatever path, is told from that of
// another client.
func TestWhoHoldsALock(t *testing.T) {
	dir, disk := t.TempDir(), &Disk{}
	first := openFolder(t, dir)
	unlock, err := first.Lock("lock")
	must(t, err)
	if _, err := first.Lock("lock"); !errors.Is(err, world.ErrNameUsed) {
		t.Errorf("the same client is told %v", err)
	}
	other, err := disk.OpenFolder(dir)
	must(t, err)
	defer other.Close()
	if _, err := other.Lock("lock"); !errors.Is(err, world.ErrLocked) || errors.Is(err, world.ErrNameUsed) {
		t.Errorf("another client is told %v", err)
	}
	unlock()
	if unlock, err := other.Lock("lock"); err != nil {
		t.Error(err)
	} else {
		unlock()
	}
}

func TestLockLeftByACrashIsTaken(t *testing.T) {
	f := openFolder(t, t.TempDir())
	must(t, f.WriteFile("lock", nil))
	unlock, err := f.Lock("lock")
	must(t, err)
	unlock()
	if _, err := f.Stat("lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the lock file stays:", err)
	}
}

func BenchmarkBlocks(b *testing.B) {
	dir := b.TempDir()
	if shm, err := os.MkdirTemp("/dev/shm", "kouzui"); err == nil {
		dir = shm
		b.Cleanup(func() { _ = os.RemoveAll(shm) })
	}
	f := openFolder(b, dir)
	file, err := f.Create("data")
	must(b, err)
	defer file.Close()
	const block = 16 << 10
	for _, n := range []int{16, 64} {
		bufs := make([][]byte, n)
		for i := range bufs {
			bufs[i] = make([]byte, block)
		}
		done := func(err error) {
			if err != nil {
				b.Fatal(err)
			}
		}
		file.WriteBlocks(bufs, 0, done)
		for name, move := range map[string]func([][]byte, int64, func(error)){"write": file.WriteBlocks, "read": file.ReadBlocks} {
			b.Run(fmt.Sprintf("%s-%d", name, n), func(b *testing.B) {
				b.SetBytes(int64(n * block))
				b.ReportAllocs()
				for b.Loop() {
					move(bufs, 0, done)
				}
			})
		}
	}
}
