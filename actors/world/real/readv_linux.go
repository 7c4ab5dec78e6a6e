package real

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// readv makes readv calls with an array that it uses again; unix.Readv would
// allocate one at each call. The socket does not block, so the call is made
// without telling the Go scheduler, which would otherwise hand the processor to
// another goroutine.
type readv struct{ iov []unix.Iovec }

func (r *readv) read(fd uintptr, bufs [][]byte) (int, error) {
	r.iov = r.iov[:0]
	for _, b := range bufs {
		e := unix.Iovec{Base: &b[0]}
		e.SetLen(len(b))
		r.iov = append(r.iov, e)
	}
	n, _, errno := unix.RawSyscall(unix.SYS_READV, fd, uintptr(unsafe.Pointer(&r.iov[0])), uintptr(len(r.iov)))
	clear(r.iov) // blocks that the decoder has given away must not stay referenced
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
