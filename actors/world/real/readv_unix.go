//go:build linux || darwin

package real

import (
	"io"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// scatter says whether a socket can fill several slices in one read.
const scatter = true

// socket reads a connection into what the reader offers once something has
// arrived. While nothing has, it makes the reader give back its memory (rest),
// and waits, or returns errSilent so that another goroutine waits.
type socket struct {
	conn    *net.TCPConn
	raw     syscall.RawConn
	attempt func(fd uintptr) bool
	look    func(fd uintptr) bool
	n       int
	err     error
	polled  [1]unix.PollFd
}

// readvs are lent for one system call each.
var readvs = sync.Pool{New: func() any { return new(readv) }}

func newSocket(conn *net.TCPConn, r *reader) *socket {
	s := &socket{conn: conn}
	s.raw, s.err = conn.SyscallConn()
	s.attempt = func(fd uintptr) bool {
		bufs := r.offer()
		v := readvs.Get().(*readv)
		defer readvs.Put(v)
		for {
			s.n, s.err = v.read(fd, bufs)
			switch s.err {
			case unix.EINTR:
				continue
			case unix.EAGAIN:
				s.err = errSilent
				return r.rest()
			}
			return true
		}
	}
	s.look = func(fd uintptr) bool {
		s.polled[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
		n, err := unix.Poll(s.polled[:], 0)
		return n != 0 || err != nil
	}
	return s
}

// read returns io.EOF only without bytes.
func (s *socket) read() (int, error) {
	if err := s.raw.Read(s.attempt); err != nil {
		return 0, err
	}
	if s.n == 0 && s.err == nil {
		return 0, io.EOF
	}
	return s.n, s.err
}

// wait returns when something has arrived, or the connection has ended. It uses
// so little stack that the stack of its goroutine does not grow.
func (s *socket) wait() error {
	if s.raw == nil {
		return s.err
	}
	return s.raw.Read(s.look)
}
