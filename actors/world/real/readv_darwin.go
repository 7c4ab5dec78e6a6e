package real

import "golang.org/x/sys/unix"

type readv struct{}

func (readv) read(fd uintptr, bufs [][]byte) (int, error) { return unix.Readv(int(fd), bufs) }
