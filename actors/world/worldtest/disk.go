// Package worldtest is for tests: it holds what every world must do, and each
// world runs that against its own parts.
package worldtest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync"
	"testing"

	"kouzui/actors/world"
)

// Disk tests that disk keeps the contract of world.Disk. newDir makes a folder
// for each subtest.
func Disk(t *testing.T, disk world.Disk, newDir func(t *testing.T) string) {
	for name, test := range map[string]func(*testing.T, world.Folder, func() world.Folder){
		"blocks":       testBlocks,
		"concurrency":  testConcurrency,
		"closed":       testClosed,
		"extend":       testExtend,
		"open":         testOpen,
		"names":        testNames,
		"invalid":      testInvalidNames,
		"rename":       testRename,
		"remove":       testRemove,
		"small files":  testSmallFiles,
		"links, modes": testLinksAndModes,
		"lock":         testLock,
		"free":         testFree,
		"second close": testSecondClose,
	} {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t)
			open := func() world.Folder {
				f, err := disk.OpenFolder(dir)
				ok(t, err)
				t.Cleanup(func() { ok(t, f.Close()) })
				return f
			}
			test(t, open(), open)
		})
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func is(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func fails(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
}

func create(t *testing.T, f world.Folder, name string) world.File {
	t.Helper()
	file, err := f.Create(name)
	ok(t, err)
	t.Cleanup(func() { _ = file.Close() }) // some tests close it themselves
	return file
}

// transfer calls call and waits for its answer, which must come exactly once.
func transfer(t *testing.T, call func(done func(error))) error {
	t.Helper()
	answers := make(chan error, 2)
	call(func(err error) { answers <- err })
	err := <-answers
	if len(answers) > 0 {
		t.Fatal("answered twice")
	}
	return err
}

func write(t *testing.T, f world.File, off int64, bufs ...[]byte) error {
	t.Helper()
	return transfer(t, func(done func(error)) { f.WriteBlocks(bufs, off, done) })
}

func read(t *testing.T, f world.File, off int64, bufs ...[]byte) error {
	t.Helper()
	return transfer(t, func(done func(error)) { f.ReadBlocks(bufs, off, done) })
}

// pattern returns n bytes that differ from place to place.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// cut cuts data into slices of the given lengths, over and over.
func cut(data []byte, lengths ...int) [][]byte {
	var bufs [][]byte
	for i := 0; len(data) > 0; i++ {
		n := min(lengths[i%len(lengths)], len(data))
		bufs = append(bufs, data[:n])
		data = data[n:]
	}
	return bufs
}

func testBlocks(t *testing.T, f world.Folder, _ func() world.Folder) {
	for _, c := range []struct {
		size    int
		lengths []int
	}{
		{1, []int{1}},
		{16 << 10, []int{16 << 10}},
		{100_000, []int{16 << 10}},
		{100_000, []int{1, 0, 999, 4096}},
		{3000, []int{1}}, // more slices than one system call takes
		{0, []int{1}},
	} {
		file := create(t, f, "data")
		want := pattern(c.size)
		ok(t, write(t, file, 5, cut(want, c.lengths...)...))
		ok(t, transfer(t, file.Sync))
		got := make([]byte, c.size)
		slices.Reverse(c.lengths)
		ok(t, read(t, file, 5, cut(got, c.lengths...)...))
		if !bytes.Equal(got, want) {
			t.Fatalf("%d bytes in pieces of %v came back different", c.size, c.lengths)
		}
		is(t, read(t, file, 6, cut(make([]byte, c.size+1), c.lengths...)...), io.ErrUnexpectedEOF)
		ok(t, file.Close())
		ok(t, f.Remove("data"))
	}
}

func testConcurrency(t *testing.T, f world.Folder, _ func() world.Folder) {
	const size, parts = 64 << 10, 8
	file := create(t, f, "data")
	want := pattern(size * parts)
	var all sync.WaitGroup
	for i := range parts {
		all.Go(func() {
			part := want[i*size : (i+1)*size]
			off := int64(i * size)
			file.WriteBlocks(cut(part, 16<<10), off, func(err error) {
				if err != nil {
					t.Error(err)
				}
			})
			if err := file.Extend(off); err != nil {
				t.Error(err)
			}
			got := make([]byte, size)
			file.ReadBlocks(cut(got, 16<<10), off, func(err error) {
				if err != nil || !bytes.Equal(got, part) {
					t.Errorf("part %d came back different, or failed: %v", i, err)
				}
			})
		})
	}
	all.Wait()
	info, err := file.Stat()
	ok(t, err)
	if info.Size != size*parts {
		t.Errorf("the file has %d bytes, want %d", info.Size, size*parts)
	}
}

func testClosed(t *testing.T, f world.Folder, _ func() world.Folder) {
	file := create(t, f, "data")
	ok(t, write(t, file, 0, pattern(10)))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			buf := make([]byte, 10)
			for range 50 {
				file.ReadBlocks([][]byte{buf}, 0, func(err error) {
					if err != nil && !errors.Is(err, fs.ErrClosed) {
						t.Error(err)
					}
				})
			}
		})
	}
	ok(t, file.Close())
	all.Wait()
	is(t, read(t, file, 0, make([]byte, 1)), fs.ErrClosed)
	is(t, write(t, file, 0, make([]byte, 1)), fs.ErrClosed)
	is(t, transfer(t, file.Sync), fs.ErrClosed)
	is(t, file.Extend(100), fs.ErrClosed)
	_, err := file.Stat()
	is(t, err, fs.ErrClosed)
}

func testSecondClose(t *testing.T, f world.Folder, _ func() world.Folder) {
	file := create(t, f, "data")
	ok(t, file.Close())
	is(t, file.Close(), fs.ErrClosed)
}

func testExtend(t *testing.T, f world.Folder, _ func() world.Folder) {
	file := create(t, f, "data")
	ok(t, write(t, file, 0, []byte("abc")))
	for _, c := range []struct{ extend, size int64 }{{2, 3}, {3, 3}, {1 << 20, 1 << 20}, {10, 1 << 20}} {
		ok(t, file.Extend(c.extend))
		info, err := file.Stat()
		ok(t, err)
		if info.Size != c.size {
			t.Fatalf("Extend(%d) left %d bytes, want %d", c.extend, info.Size, c.size)
		}
	}
	got := make([]byte, 6)
	ok(t, read(t, file, 0, got))
	if string(got) != "abc\x00\x00\x00" {
		t.Errorf("the file begins with %q", got)
	}
	info, err := f.Stat("data")
	ok(t, err)
	if info.Allocated >= 1<<20 {
		t.Errorf("%d bytes are allocated for a file of holes", info.Allocated)
	}
}
