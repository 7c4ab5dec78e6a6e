package real

import (
	"cmp"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"kouzui/messages"
)

// packetCalls reads and writes up to batchLength messages a call (recvmmsg,
// sendmmsg). A message is a datagram, or a run: several datagrams of one length
// with one address, but for the last, which may be shorter. The kernel, or the
// network card, makes a run of them (UDP_GRO) or cuts it (UDP_SEGMENT).
type packetCalls struct {
	raw syscall.RawConn
	// cuts is set while the kernel cuts runs that are sent.
	cuts atomic.Bool

	// These belong to the goroutine that reads.
	incoming  packetBatch
	arena     []byte // what is read into, maxMessage bytes a message
	received  int
	readError error
	readOnce  func(fd uintptr) bool
}

// maxMessage is the most that one message has, in bytes: what the header of a
// datagram has room for.
const maxMessage = 1 << 16

// newPacketCalls maps the memory that is read into, rather than allocating it:
// no page of it is there before something has come into it, so that a socket at
// rest costs none.
func newPacketCalls(conn *net.UDPConn) (*packetCalls, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	p := &packetCalls{raw: raw}
	if p.arena, err = unix.Mmap(-1, 0, batchLength*maxMessage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE); err != nil {
		return nil, err
	}
	p.incoming.readInto(p.arena)
	p.readOnce = func(fd uintptr) bool {
		p.received, p.readError = p.incoming.receive(fd)
		return p.readError != unix.EAGAIN
	}
	err = raw.Control(func(fd uintptr) {
		_, cannot := unix.GetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT)
		p.cuts.Store(cannot == nil)
		// Old kernels cannot make runs, and then there are none.
		_ = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_GRO, 1)
	})
	return p, err
}

// release is called when nothing is read any more.
func (p *packetCalls) release() { _ = unix.Munmap(p.arena) }

// read waits for a batch. Its datagrams share one allocation.
func (p *packetCalls) read() ([]messages.Datagram, error) {
	if err := p.raw.Read(p.readOnce); err != nil {
		return nil, err
	}
	if p.readError != nil {
		return nil, p.readError
	}
	datagrams, bytes := 0, 0
	for i := range p.received {
		length, segment := p.incoming.lengths(i)
		datagrams += max((length+segment-1)/segment, 1)
		bytes += length
	}
	batch := make([]messages.Datagram, 0, datagrams)
	data := make([]byte, 0, bytes)
	for i := range p.received {
		from := p.incoming.addr(i)
		length, segment := p.incoming.lengths(i)
		run := p.arena[i*maxMessage:][:length]
		for first := true; first || len(run) > 0; first = false {
			n := min(segment, len(run))
			at := len(data)
			data = append(data, run[:n]...)
			batch = append(batch, messages.Datagram{Addr: from, Data: data[at:len(data):len(data)]})
			run = run[n:]
		}
	}
	return batch, nil
}

// Send implements world.PacketSocket. It may be called from several goroutines.
func (p *packetCalls) Send(batch []messages.Datagram) (lost int, err error) {
	return p.send(batch, p.cuts.Load())
}

// send sends neighbours as runs, if runs is set. A run that the kernel refuses
// is sent one by one: its datagrams may be longer than the way there allows.
func (p *packetCalls) send(batch []messages.Datagram, runs bool) (lost int, failed error) {
	b := outgoing.Get().(*packetBatch)
	defer b.putBack()
	for len(batch) > 0 {
		taken := b.fill(batch, runs)
		for at := 0; at < b.count; {
			sent, err := b.write(p.raw, at)
			run := b.datagrams(at, batch)
			switch {
			case sent > 0:
				at += sent
				continue
			case err == unix.EINTR:
				continue
			case err == unix.EAGAIN, err == net.ErrClosed:
				for ; at < b.count; at++ {
					lost += len(b.datagrams(at, batch))
				}
				continue
			case len(run) == 1:
				lost++
				failed = cmp.Or(refusal(err), failed)
			default:
				if err == unix.EIO { // this card, or this kernel, never can
					p.cuts.Store(false)
				}
				n, err := p.send(run, false)
				lost += n
				failed = cmp.Or(err, failed)
			}
			at++
		}
		batch = batch[taken:]
	}
	return lost, failed
}

// zoneOf is the name of an interface by its number.
func zoneOf(scope uint32) string {
	if scope == 0 {
		return ""
	}
	i, err := net.InterfaceByIndex(int(scope))
	if err != nil {
		return ""
	}
	return i.Name
}

// scopeOf is the number of the interface that an address names, 0 if none.
func scopeOf(addr netip.Addr) uint32 {
	if addr.Zone() == "" {
		return 0
	}
	i, err := net.InterfaceByName(addr.Zone())
	if err != nil {
		return 0
	}
	return uint32(i.Index)
}
