package real

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"

	"kouzui/messages"
	"kouzui/wire/frame"
)

// begin chooses the frames of the next unit, and encodes them.
func (s *sender) begin() {
	s.head = s.head[:0]
	for s.unit < len(s.out) {
		o := &s.out[s.unit]
		s.head = appendHeader(s.head, o)
		s.unit++
		if o.Kind == frame.Piece {
			return
		}
	}
}

// finish writes the rest of the current unit. The system takes the payload from
// the file itself.
func (s *sender) finish(fd uintptr) error {
	if s.unit == 0 {
		s.begin()
	}
	last := &s.out[s.unit-1]
	source, ok := last.Source.(messages.SocketSource)
	if last.Kind == frame.Piece && !ok {
		return errors.ErrUnsupported
	}
	for s.done < len(s.head) {
		if err := s.advance(send(fd, s.head[s.done:])); err != nil {
			return err
		}
	}
	if last.Kind == frame.Piece {
		for size := len(s.head) + int(last.Length); s.done < size; {
			at := last.Offset + int64(s.done-len(s.head))
			if err := s.advance(source.SendTo(fd, at, size-s.done)); err != nil {
				return err
			}
		}
		s.plain = max(s.plain-1, 0)
	}
	n := s.unit
	s.unit = 0
	s.pass(n)
	return nil
}

// send writes b to a socket, and tells the system that more follows. It does
// not allocate, as unix.SendmsgN would.
func send(fd uintptr, b []byte) (int, error) {
	n, _, errno := unix.Syscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_MORE|unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
