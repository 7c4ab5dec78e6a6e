//go:build linux

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// reserve is memory that was just touched. It is freed step by step while a
// transfer fills memory. A virtual machine returns memory that is free for
// seconds to its host. The process that needs such memory next pays about two
// seconds of CPU for each GiB, which is more than clients differ.
//
// The kernel serves large requests from other memory than single pages. So the
// reserve is of the kind that the transfer needs: single pages for files in
// memory, and the page cache of a file for files on a disk, for which a
// filesystem asks for up to a MiB at a time.
type reserve interface {
	shrink(size int64) // keeps at most size bytes, in whole chunks
}

const (
	chunk = 16 * mib
	// ahead is for the memory of the processes themselves, and for what they fill
	// until written is called again.
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

// cache is a reserve in the page cache, of a file without a name. The file is a
// hole that is read, so that nothing is written to the disk.
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
