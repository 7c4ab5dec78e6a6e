package real

import (
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kouzui/messages"
	"kouzui/wire/frame"
)

// sender writes frames whose payload lies in files, in the way that costs the
// least. While it waits for the peer it holds no payload, no open file, and no
// memory except for the head of one frame.
type sender struct {
	writer  *writer
	raw     syscall.RawConn
	attempt func(fd uintptr) bool

	out   []messages.Outgoing
	done  int   // bytes of out that are written
	moved int   // bytes written since send last reset it
	err   error // that ends the link

	unit    int    // frames of out that sendfile is writing: some without payload, then perhaps a piece
	plain   int    // pieces that go by sendfile, whatever way is chosen
	rest    int    // bursts that are not measured
	strayed int    // bytes of a burst that did not go in the chosen way
	head    []byte // bytes of the unit, without the payload
}

func newSender(w *writer) *sender {
	raw, err := w.link.conn.SyscallConn()
	if err != nil {
		return nil // closed; the next write returns the error
	}
	s := &sender{writer: w, raw: raw}
	s.attempt = s.write
	return s
}

// send writes out.
func (s *sender) send(out []messages.Outgoing) error {
	s.out, s.done, s.unit, s.plain, s.err = out, 0, 0, 0, nil
	err := within(s.writer.link.conn, writeTimeout, func() (bool, error) {
		s.moved = 0
		err := s.raw.Write(s.attempt)
		return s.moved > 0, err
	})
	s.out = nil
	if err != nil {
		return err
	}
	return s.err
}

// write writes a burst: until nothing is left or it cannot go on. It returns
// false when the socket is full.
func (s *sender) write(fd uintptr) bool {
	costs := s.writer.link.costs
	w, measure := costs.choose(s.rest == 0 && payload(s.out) >= wayTrialLen)
	if !measure {
		s.rest = max(s.rest-1, 0)
		before := s.moved
		full := s.burst(fd, w) == unix.EAGAIN
		costs.sent(s.moved - before)
		return !full
	}
	runtime.LockOSThread() // threadTime is of one thread
	defer runtime.UnlockOSThread()
	s.strayed = 0
	before, begin := s.moved, threadTime()
	full := s.burst(fd, w) == unix.EAGAIN
	cost := threadTime() - begin
	if s.moved-before < wayTrialLen {
		s.rest = wayRest
	}
	if chosen, costs, compared := costs.measured(w, s.moved-before, s.strayed, cost); compared {
		s.writer.link.emit(&messages.SendingMeasured{
			Link: s.writer.link.id, Chosen: chosen.String(),
			Sendfile: costs[sendfile], Copied: costs[copied], Mapped: costs[mapped],
		})
	}
	return !full
}

func payload(out []messages.Outgoing) (n int) {
	for i := range out {
		if out[i].Kind == frame.Piece {
			n += int(out[i].Length)
		}
	}
	return n
}

// threadTime is the processor time that this thread has taken.
func threadTime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.Nano())
}

func (s *sender) burst(fd uintptr, w way) error {
	cork(fd, 1) // without this, each block would end in a short TCP segment
	for len(s.out) > 0 {
		if err := s.next(fd, w); err != nil {
			if err == unix.EAGAIN {
				s.writer.report()
			} else {
				s.err = err
			}
			return err
		}
	}
	cork(fd, 0)
	return nil
}

func cork(fd uintptr, on int) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, on) }

// next writes some of the frames in way w. What cannot go that way, goes by
// sendfile, and what cannot go that way either, is copied.
func (s *sender) next(fd uintptr, w way) error {
	if s.unit == 0 && s.plain == 0 {
		switch w {
		case copied:
			return s.copy(fd)
		case mapped:
			if err := s.gather(fd); !failed(err) {
				return err
			}
		}
	}
	before := s.moved
	err := s.finish(fd)
	if w != sendfile {
		s.strayed += s.moved - before
	}
	if !failed(err) {
		return err
	}
	before = s.moved
	err = s.copy(fd)
	s.strayed += s.moved - before
	return err
}

// failed tells whether err says more than that the socket is full.
func failed(err error) bool { return err != nil && err != unix.EAGAIN }

// copy reads the payload of some frames, and writes them. What the socket has
// no room for is read again.
func (s *sender) copy(fd uintptr) error {
	s.unit, s.plain = 0, 0
	c := chunks.Get().(*chunk)
	defer c.giveBack(&chunks)
	n := c.lay(s.out)
	if err := c.fill(); err != nil {
		return err
	}
	var err error
	for s.done < len(c.buf) && err == nil {
		err = s.advance(send(fd, c.buf[s.done:]))
	}
	s.pass(n)
	return err
}

// pass removes the frames that are written from the first n of out.
func (s *sender) pass(n int) {
	passed := 0
	for ; passed < n; passed++ {
		size := s.size(&s.out[passed])
		if s.done < size {
			break
		}
		s.done -= size
	}
	s.writer.wrote(s.out[:passed])
	s.out = s.out[passed:]
}

// size is how many bytes a frame has. It uses head.
func (s *sender) size(o *messages.Outgoing) int {
	s.head = appendHeader(s.head[:0], o)
	if o.Kind == frame.Piece {
		return len(s.head) + int(o.Length)
	}
	return len(s.head)
}

// advance counts n bytes as written. It returns the error of the call, unless
// that was interrupted.
func (s *sender) advance(n int, err error) error {
	if n > 0 {
		s.done += n
		s.moved += n
	}
	if err == unix.EINTR {
		return nil
	}
	return err
}
