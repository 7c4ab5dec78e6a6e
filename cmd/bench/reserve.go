//go:build linux

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// reserve is memory that was just touched, to be given back as a transfer fills
// memory of its own. A virtual machine hands memory that lies free for seconds
// to its host, and to get it back costs the process that happens to want it
// about two seconds of CPU a GiB: more than clients differ.
type reserve [][]byte

const (
	chunk = 16 * mib
	// What processes take for themselves, and between two looks at how far they are.
	ahead = 256 * mib
)

func fill(size int64) (r reserve, err error) {
	for have := int64(0); have < size; have += chunk {
		b, err := unix.Mmap(-1, 0, chunk, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_POPULATE)
		if err != nil {
			r.shrink(0)
			return nil, fmt.Errorf("warm memory: %w", err)
		}
		r = append(r, b)
	}
	return r, nil
}

// shrink gives back all but size bytes.
func (r *reserve) shrink(size int64) {
	for len(*r) > 0 && int64(len(*r))*chunk > size {
		last := len(*r) - 1
		_ = unix.Munmap((*r)[last])
		*r = (*r)[:last]
	}
}
