//go:build linux

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// reserve is memory that was just touched, to be given back as a transfer fills
// memory of its own. A virtual machine hands memory that lies free for seconds
// to its host, and to get it back costs the process that happens to want it
// about two seconds of CPU a GiB: more than clients differ.
//
// Who asks for much at a time gets none that was given back in single pages. So a
// reserve is taken as it will be needed: in pages for files in memory, and as the
// cache of a file for those on a disk, of which a filesystem takes up to a MiB at
// a time.
type reserve interface {
	shrink(size int64) // keeps at most size bytes, in whole chunks
}

const (
	chunk = 16 * mib
	// What processes take for themselves, and between two looks at how far they are.
	ahead = 256 * mib
)

// pages is a reserve of single pages.
type pages [][]byte

func fillPages(size int64) (reserve, error) {
	r := new(pages)
	for have := int64(0); have < size; have += chunk {
		b, err := unix.Mmap(-1, 0, chunk, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_POPULATE)
		if err != nil {
			r.shrink(0)
			return nil, fmt.Errorf("warm memory: %w", err)
		}
		*r = append(*r, b)
	}
	return r, nil
}

func (r *pages) shrink(size int64) {
	for len(*r) > 0 && int64(len(*r))*chunk > size {
		last := len(*r) - 1
		_ = unix.Munmap((*r)[last])
		*r = (*r)[:last]
	}
}

// cache is a reserve of the pages of a file without a name. The file is a hole
// that is read, so that none of it is ever written to the disk.
type cache struct {
	file *os.File
	size int64
}

func fillCache(folder string, size int64) (reserve, error) {
	file, err := os.CreateTemp(folder, "warm")
	if err != nil {
		return nil, fmt.Errorf("warm memory: %w", err)
	}
	r := &cache{file, (size + chunk - 1) / chunk * chunk}
	if err = os.Remove(file.Name()); err == nil {
		err = file.Truncate(r.size)
	}
	for at, b := int64(0), make([]byte, mib); at < r.size && err == nil; at += mib {
		_, err = file.ReadAt(b, at)
	}
	if err != nil {
		r.shrink(0)
		return nil, fmt.Errorf("warm memory: %w", err)
	}
	return r, nil
}

func (r *cache) shrink(size int64) {
	size = max(size, 0) / chunk * chunk
	if size >= r.size {
		return
	}
	r.size = size
	_ = r.file.Truncate(size)
	if size == 0 {
		r.file.Close()
	}
}
