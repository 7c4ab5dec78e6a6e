package real

import (
	"errors"
	"runtime"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

const (
	// mappedLen is about how many bytes of payload one write takes from mapped
	// memory, which counts as resident until it is unmapped, right after the
	// write. With 256 KiB, each byte costs a quarter more; with 1 MiB a fifth
	// less, and the process has half a MiB more.
	mappedLen = 32 * buffer.Size
	// mappedFrames is how many frames one such write has at most.
	mappedFrames = 64
)

// gathering is what one write takes: heads from memory of ours, payload from
// mapped memory.
type gathering struct {
	heads []byte
	ends  [mappedFrames]int // where each of the heads ends
	parts [2 * mappedFrames]unix.Iovec
}

// mapping has a place for each write from mapped memory that may be under way
// in the process. More of them than there are processors would only wait for
// these, each with about mappedLen that counts as resident.
var mapping = make(chan struct{}, runtime.NumCPU())

// gatherings are lent for one write each.
var gatherings = sync.Pool{New: func() any { return new(gathering) }}

// gather maps neighbouring blocks, as many as one write can take, and writes
// them. Payload is touched by the system alone: if the file has become shorter,
// the call fails, where a read of ours would be killed by SIGBUS.
func (s *sender) gather(fd uintptr) error {
	if s.done > 0 {
		s.plain = 1 // the rest of a block
		return errors.ErrUnsupported
	}
	source, off, length, frames, pieces := s.stretch()
	if pieces == 0 {
		return errors.ErrUnsupported
	}
	mapping <- struct{}{}
	defer func() { <-mapping }()
	memory, err := source.Map(off, length)
	if err != nil {
		s.plain = pieces
		return errors.ErrUnsupported // err may be EAGAIN, and does not speak of the socket
	}
	defer unmap(memory)
	g := gatherings.Get().(*gathering)
	defer gatherings.Put(g)
	parts, total := g.lay(s.out[:frames], memory)
	m := unix.Msghdr{Iov: &g.parts[0]}
	m.SetIovlen(parts)
	n, _, errno := unix.Syscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&m)), unix.MSG_MORE|unix.MSG_NOSIGNAL)
	clear(g.parts[:parts])
	if errno != 0 {
		return s.advance(0, errno)
	}
	_ = s.advance(int(n), nil)
	if int(n) < total {
		s.plain = 1 // sendfile finds out whether the socket is full, or the file has become shorter
	}
	s.pass(frames)
	return nil
}

// stretch is the longest beginning of out whose blocks lie together.
func (s *sender) stretch() (source messages.SocketSource, off int64, length, frames, pieces int) {
	for ; frames < min(len(s.out), mappedFrames) && length < mappedLen; frames++ {
		o := &s.out[frames]
		if o.Kind != frame.Piece {
			continue
		}
		if pieces == 0 {
			var ok bool
			if source, ok = o.Source.(messages.SocketSource); !ok {
				break
			}
			off = o.Offset
		} else if o.Source != messages.BlockSource(source) || o.Offset != off+int64(length) {
			break
		}
		length += int(o.Length)
		pieces++
	}
	return source, off, length, frames, pieces
}

// lay makes parts of frames, as far as memory has their payload.
func (g *gathering) lay(frames []messages.Outgoing, memory []byte) (parts, total int) {
	g.heads = g.heads[:0]
	for i := range frames {
		g.heads = appendHeader(g.heads, &frames[i])
		g.ends[i] = len(g.heads)
	}
	add := func(b []byte) {
		if len(b) > 0 {
			g.parts[parts].Base = unsafe.SliceData(b)
			g.parts[parts].SetLen(len(b))
			parts++
			total += len(b)
		}
	}
	start := 0
	for i := range frames {
		add(g.heads[start:g.ends[i]])
		start = g.ends[i]
		if frames[i].Kind != frame.Piece {
			continue
		}
		n := int(frames[i].Length)
		if n > len(memory) { // the file ends
			add(memory)
			break
		}
		add(memory[:n])
		memory = memory[n:]
	}
	return parts, total
}
