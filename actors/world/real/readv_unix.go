//go:build linux || darwin

package real

import (
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// scatter tells that a socket fills several slices in one read.
const scatter = true

// socket reads a connection straight into what offer returns, once something
// is there to be read; when nothing is, it calls release and waits.
type socket struct {
	raw     syscall.RawConn
	attempt func(fd uintptr) bool
	n       int
	err     error
}

func newSocket(conn *net.TCPConn, offer func() [][]byte, release func()) (*socket, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &socket{raw: raw}
	var r readv
	s.attempt = func(fd uintptr) bool {
		bufs := offer()
		for {
			s.n, s.err = r.read(fd, bufs)
			switch s.err {
			case unix.EINTR:
				continue
			case unix.EAGAIN:
				release()
				return false
			}
			return true
		}
	}
	return s, nil
}

// read returns io.EOF alone, never with bytes.
func (s *socket) read() (int, error) {
	if err := s.raw.Read(s.attempt); err != nil {
		return 0, err
	}
	if s.n == 0 && s.err == nil {
		return 0, io.EOF
	}
	return s.n, s.err
}
