package real

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"kouzui/messages"
)

const (
	// batchLength is how many messages one call moves at most. A socket maps 64
	// KiB for each, which become resident as far as something has come into them.
	batchLength = 16
	// maxSegments is how many datagrams the kernel takes in one run (the
	// UDP_MAX_SEGMENTS of Linux before 6.9).
	maxSegments = 64
	// maxRun is how many bytes of payload a run has at most: with headers it must
	// fit into a datagram of IPv4.
	maxRun = 65_000
)

// message is a struct mmsghdr.
type message struct {
	header unix.Msghdr
	length uint32
}

// segmentNote is a control message that tells how long the datagrams of a run
// are: two bytes when sent (UDP_SEGMENT), four when received (UDP_GRO).
type segmentNote struct {
	header unix.Cmsghdr
	length [8]byte
}

// packetBatch is the messages of one call. The name of each has room for an
// address of either family.
type packetBatch struct {
	messages [batchLength]message
	names    [batchLength]unix.RawSockaddrInet6
	notes    [batchLength]segmentNote
	vectors  []unix.Iovec

	// These are of a batch that is sent.
	count    int                  // messages
	first    [batchLength + 1]int // datagram of each message
	used     int                  // vectors with data
	transmit func(fd uintptr) bool
	next     int // message to be sent
	sent     int // by the last call
	failed   error
}

// outgoing is batches that are not in use.
var outgoing = sync.Pool{New: func() any {
	b := &packetBatch{vectors: make([]unix.Iovec, batchLength*maxSegments)}
	b.transmit = b.transmitOnce
	return b
}}

// putBack keeps the batch for others, without the data in it.
func (b *packetBatch) putBack() {
	clear(b.vectors[:b.used])
	b.used = 0
	outgoing.Put(b)
}

// readInto has each message read into its part of the arena.
func (b *packetBatch) readInto(arena []byte) {
	b.vectors = make([]unix.Iovec, batchLength)
	for i := range b.messages {
		b.vectors[i].Base = &arena[i*maxMessage]
		b.vectors[i].SetLen(maxMessage)
		h := &b.messages[i].header
		h.Iov = &b.vectors[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&b.names[i]))
		h.Control = (*byte)(unsafe.Pointer(&b.notes[i]))
	}
}

// receive reads as many messages as there are, without waiting.
func (b *packetBatch) receive(fd uintptr) (int, error) {
	for i := range b.messages {
		h := &b.messages[i].header
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(int(unsafe.Sizeof(b.notes[i])))
	}
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&b.messages[0])), batchLength, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// lengths of a message that was received: of all of it, and of each datagram in
// it but the last.
func (b *packetBatch) lengths(i int) (all, segment int) {
	all, segment = int(b.messages[i].length), maxMessage
	h, note := &b.messages[i].header, &b.notes[i]
	if int(h.Controllen) >= unix.CmsgLen(4) && note.header.Level == unix.SOL_UDP && note.header.Type == unix.UDP_GRO {
		if n := int(binary.NativeEndian.Uint32(note.length[:])); n > 0 {
			segment = n
		}
	}
	return all, segment
}

// addr is where a message has come from.
func (b *packetBatch) addr(i int) netip.AddrPort {
	v6 := &b.names[i]
	if v6.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(v6))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), port(&v4.Port))
	}
	addr := netip.AddrFrom16(v6.Addr)
	return netip.AddrPortFrom(addr.WithZone(zoneOf(v6.Scope_id)), port(&v6.Port))
}

// setAddr sets where a message goes.
func (b *packetBatch) setAddr(i int, to netip.AddrPort) {
	v6, h := &b.names[i], &b.messages[i].header
	h.Name = (*byte)(unsafe.Pointer(v6))
	if addr := to.Addr(); addr.Is4() {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(v6))
		*v4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: addr.As4()}
		setPort(&v4.Port, to.Port())
		h.Namelen = unix.SizeofSockaddrInet4
	} else {
		*v6 = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: addr.As16(), Scope_id: scopeOf(addr)}
		setPort(&v6.Port, to.Port())
		h.Namelen = unix.SizeofSockaddrInet6
	}
}

// Ports stand in the order of the network.

func port(field *uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(field))[:])
}

func setPort(field *uint16, port uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(field))[:], port)
}

// fill makes messages of the first datagrams, and tells how many it took.
func (b *packetBatch) fill(batch []messages.Datagram, runs bool) (taken int) {
	b.count = 0
	vectors := b.vectors
	for b.count < batchLength && taken < len(batch) {
		run := batch[taken : taken+1]
		if runs {
			run = batch[taken:][:runLength(batch[taken:])]
		}
		for i, d := range run {
			vectors[i].Base = unsafe.SliceData(d.Data)
			vectors[i].SetLen(len(d.Data))
		}
		i := b.count
		h := &b.messages[i].header
		*h = unix.Msghdr{Iov: &vectors[0]}
		h.SetIovlen(len(run))
		b.setAddr(i, run[0].Addr)
		if len(run) > 1 {
			note := &b.notes[i]
			note.header = unix.Cmsghdr{Level: unix.SOL_UDP, Type: unix.UDP_SEGMENT}
			note.header.SetLen(unix.CmsgLen(2))
			binary.NativeEndian.PutUint16(note.length[:], uint16(len(run[0].Data)))
			h.Control = (*byte)(unsafe.Pointer(note))
			h.SetControllen(unix.CmsgSpace(2))
		}
		vectors = vectors[len(run):]
		b.first[i] = taken
		taken += len(run)
		b.count++
	}
	b.first[b.count] = taken
	b.used = max(b.used, taken)
	return taken
}

// datagrams are those of a message, of the batch that fill was given.
func (b *packetBatch) datagrams(i int, batch []messages.Datagram) []messages.Datagram {
	return batch[b.first[i]:b.first[i+1]]
}

// runLength is how many of the first datagrams make a run, at least 1.
func runLength(batch []messages.Datagram) int {
	segment, bytes := len(batch[0].Data), 0
	for i, d := range batch {
		if bytes += len(d.Data); i > 0 && (i == maxSegments || bytes > maxRun || d.Addr != batch[0].Addr || len(d.Data) > segment || len(d.Data) == 0) {
			return i
		}
		if len(d.Data) < segment {
			return i + 1
		}
	}
	return len(batch)
}

// write sends messages from one on, as many as the system has room for. The
// error is that of the first.
func (b *packetBatch) write(raw syscall.RawConn, from int) (sent int, err error) {
	b.next = from
	if raw.Write(b.transmit) != nil {
		return 0, net.ErrClosed
	}
	return b.sent, b.failed
}

// transmitOnce makes one call. It never has the socket wait.
func (b *packetBatch) transmitOnce(fd uintptr) bool {
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&b.messages[b.next])), uintptr(b.count-b.next), unix.MSG_DONTWAIT, 0, 0)
	b.sent, b.failed = int(n), nil
	if errno != 0 {
		b.sent, b.failed = 0, errno
	}
	return true
}
