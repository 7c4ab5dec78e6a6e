package command

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestReleaseStartPages(t *testing.T) {
	page := os.Getpagesize()
	want := bytes.Repeat([]byte("program "), 16*page/8)
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	clean, changed := mapFile(t, path, len(want)), mapFile(t, path, len(want))
	if err := unix.Mprotect(changed, unix.PROT_READ|unix.PROT_WRITE); err != nil {
		t.Fatal(err)
	}
	changed[page] = 0xcc // a breakpoint
	if err := unix.Mprotect(changed, unix.PROT_READ); err != nil {
		t.Fatal(err)
	}
	touch(clean)

	ReleaseStartPages()
	if n := residentPages(t, clean); n != 0 {
		t.Errorf("%d pages are mapped that can be read again", n)
	}
	if changed[page] != 0xcc {
		t.Error("a page that differs from the file was given back")
	}
	if !bytes.Equal(clean, want) {
		t.Error("the file reads differently")
	}
	if n := residentPages(t, clean); n != len(want)/page {
		t.Errorf("%d pages of %d are mapped after all were read", n, len(want)/page)
	}
}

// mapFile maps the file as the system maps a program.
func mapFile(t *testing.T, path string, size int) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(b) })
	return b
}

func touch(b []byte) (sum byte) {
	for i := 0; i < len(b); i += os.Getpagesize() {
		sum += b[i]
	}
	return sum
}

// residentPages counts the pages of b that are mapped, by /proc/self/pagemap:
// bit 63 of each entry says so.
func residentPages(t *testing.T, b []byte) (n int) {
	t.Helper()
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	first := int64(uintptr(unsafe.Pointer(&b[0]))) / int64(os.Getpagesize())
	entries := make([]byte, 8*len(b)/os.Getpagesize())
	if _, err := f.ReadAt(entries, 8*first); err != nil {
		t.Fatal(err)
	}
	for i := 7; i < len(entries); i += 8 {
		if entries[i]&0x80 != 0 {
			n++
		}
	}
	return n
}
