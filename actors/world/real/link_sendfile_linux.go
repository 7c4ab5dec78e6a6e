package real

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"kouzui/messages"
	"kouzui/wire/frame"
)

// straight writes frames whose payload the system takes from the file itself
// (sendfile). While it waits for the peer it holds no payload, no open file,
// and no memory except for the head of one frame.
type straight struct {
	writer  *writer
	raw     syscall.RawConn
	attempt func(fd uintptr) bool

	out   []messages.Outgoing
	unit  int    // frames of out that are being written: some without payload, then perhaps a piece
	head  []byte // their bytes, without the payload
	done  int    // bytes of the unit that are written
	moved bool   // some bytes have been written since send last reset it
}

func newStraight(w *writer) *straight {
	raw, err := w.link.conn.SyscallConn()
	if err != nil {
		return nil // closed; the next write returns the error
	}
	s := &straight{writer: w, raw: raw}
	s.attempt = s.write
	return s
}

// send writes out as far as the system can take payload from files. It returns
// the frames that are left, and how many bytes of the first of them are written
// already.
func (s *straight) send(out []messages.Outgoing) (rest []messages.Outgoing, done int, err error) {
	if s == nil {
		return out, 0, nil
	}
	s.out, s.unit, s.done = out, 0, 0
	err = within(s.writer.link.conn, writeTimeout, func() (bool, error) {
		s.moved = false
		err := s.raw.Write(s.attempt)
		return s.moved, err
	})
	rest, s.out = s.out, nil
	return rest, s.done, err
}

// write writes until nothing is left or it cannot go on. It returns false when
// the socket is full.
func (s *straight) write(fd uintptr) bool {
	cork(fd, 1) // without this, each block would end in a short TCP segment
	for len(s.out) > 0 {
		switch err := s.finish(fd); err {
		case nil:
			s.writer.wrote(s.out[:s.unit])
			s.out, s.unit, s.done = s.out[s.unit:], 0, 0
		case unix.EAGAIN:
			s.writer.report()
			return false
		default:
			cork(fd, 0)
			return true
		}
	}
	cork(fd, 0)
	return true
}

func cork(fd uintptr, on int) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, on) }

// begin chooses the frames of the next unit, and encodes them.
func (s *straight) begin() {
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

// finish writes the rest of the current unit.
func (s *straight) finish(fd uintptr) error {
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
	if last.Kind != frame.Piece {
		return nil
	}
	for size := len(s.head) + int(last.Length); s.done < size; {
		at := last.Offset + int64(s.done-len(s.head))
		if err := s.advance(source.SendTo(fd, at, size-s.done)); err != nil {
			return err
		}
	}
	return nil
}

func (s *straight) advance(n int, err error) error {
	if n > 0 {
		s.done += n
		s.moved = true
	}
	if err == unix.EINTR {
		return nil
	}
	return err
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
