package real

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// readv makes a readv call. Its array is reused, which unix.Readv would
// allocate at each call. The socket does not block, so Go's scheduler is not
// told of the call: else it would take the processor away from the longer ones.
type readv struct{ iov []unix.Iovec }

func (r *readv) read(fd uintptr, bufs [][]byte) (int, error) {
	r.iov = r.iov[:0]
	for _, b := range bufs {
		e := unix.Iovec{Base: &b[0]}
		e.SetLen(len(b))
		r.iov = append(r.iov, e)
	}
	n, _, errno := unix.RawSyscall(unix.SYS_READV, fd, uintptr(unsafe.Pointer(&r.iov[0])), uintptr(len(r.iov)))
	clear(r.iov) // what the decoder gives away must not live on here
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
