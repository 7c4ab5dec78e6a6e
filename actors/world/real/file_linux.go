package real

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"kouzui/actors/world"
)

var _ world.SocketFile = (*file)(nil)

// vectorLen is how many slices one system call takes; the limit of the system
// is 1024.
const vectorLen = 256

var pageSize = int64(os.Getpagesize())

type vector [vectorLen]unix.Iovec

var vectors = sync.Pool{New: func() any { return new(vector) }}

// blocks transfers all of bufs in as few system calls as possible. A call may
// transfer less than it was given, and stop in the middle of a block.
func (f *file) blocks(kind transferKind, bufs [][]byte, off int64) error {
	v := vectors.Get().(*vector)
	defer vectors.Put(v)
	defer runtime.KeepAlive(bufs)

	skip := 0 // bytes of bufs[0] that are done
	for {
		for len(bufs) > 0 && skip >= len(bufs[0]) {
			skip -= len(bufs[0])
			bufs = bufs[1:]
		}
		if len(bufs) == 0 {
			return nil
		}
		n, err := f.call(kind, v[:v.fill(bufs, skip)], off)
		switch {
		case err == unix.EINTR:
			continue
		case err != 0:
			return err
		case n == 0 && kind == readVector:
			return io.EOF
		case n == 0:
			return io.ErrNoProgress
		}
		off += int64(n)
		skip += n
	}
}

// fill enters the slices of bufs, from byte skip of the first one on, as far as
// there is room.
func (v *vector) fill(bufs [][]byte, skip int) int {
	n := 0
	for _, b := range bufs {
		b = b[skip:]
		skip = 0
		if len(b) == 0 {
			continue
		}
		if n == len(v) {
			break
		}
		v[n].Base = unsafe.SliceData(b)
		v[n].SetLen(len(b))
		n++
	}
	return n
}

// call makes one system call, and then removes the addresses from v, so that a
// pooled vector keeps no memory alive.
func (f *file) call(kind transferKind, v []unix.Iovec, off int64) (int, unix.Errno) {
	trap := uintptr(unix.SYS_PREADV)
	if kind == writeVector {
		trap = unix.SYS_PWRITEV
	}
	// The offset is passed in two halves; on 64-bit systems the first holds all of
	// it.
	const half = unix.SizeofLong * 8 / 2
	high := uintptr(uint64(off) >> half >> half)
	n, _, err := unix.Syscall6(trap, f.fd, uintptr(unsafe.Pointer(&v[0])), uintptr(len(v)), uintptr(off), high, 0)
	clear(v)
	return int(n), err
}

// SendTo copies nothing: the socket refers to the pages of the file in the
// system's cache.
func (f *file) SendTo(socket uintptr, off int64, n int) (int, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return 0, fs.ErrClosed
	}
	sent, err := unix.Sendfile(int(socket), int(f.fd), &off, n)
	if err == nil && sent == 0 {
		err = io.ErrUnexpectedEOF
	}
	return max(sent, 0), err
}

// Map fails for what is not in the system's cache: a write of it would wait for
// the disk and lock the socket meanwhile, also for reading.
func (f *file) Map(off int64, n int) ([]byte, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return nil, fs.ErrClosed
	}
	if off < 0 || n <= 0 {
		return nil, fs.ErrInvalid
	}
	before := int(off & (pageSize - 1))
	part := unix.CachestatRange{Off: uint64(off) - uint64(before), Len: uint64(before + n)}
	var cache unix.Cachestat_t
	if err := unix.Cachestat(uint(f.fd), &part, &cache, 0); err != nil {
		return nil, err
	}
	if pages := (part.Len + uint64(pageSize) - 1) / uint64(pageSize); cache.Cache < pages {
		return nil, errors.ErrUnsupported
	}
	start, err := unix.MmapPtr(int(f.fd), int64(part.Off), nil, uintptr(part.Len), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(unsafe.Add(start, before)), n), nil
}

// unmap takes what Map has returned.
func unmap(memory []byte) {
	start := unsafe.Pointer(unsafe.SliceData(memory))
	before := uintptr(start) & uintptr(pageSize-1)
	_ = unix.MunmapPtr(unsafe.Add(start, -int(before)), before+uintptr(len(memory)))
}
