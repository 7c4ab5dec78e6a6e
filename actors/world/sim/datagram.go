package sim

import (
	"fmt"
	"net/netip"
	"slices"

	"kouzui/messages"
)

const (
	// maxDatagram is the most bytes that UDP over IPv4 carries.
	maxDatagram = 65_507
	// fragment is how many bytes of a datagram travel in one packet, and
	// datagramHeader how many bytes more each packet has: those of Ethernet, IPv4
	// and UDP.
	fragment, datagramHeader = 1472, 42
	// datagramQueue is how many bytes of datagrams, headers included, wait before
	// a link at most: as much as routers of homes hold. Later ones are lost, as
	// they would be there.
	datagramQueue = 64 << 10
)

// datagram is a datagram on its way.
type datagram struct {
	host     *Host // that has sent it
	from, to netip.AddrPort
	data     []byte
	cause    cause

	on appointment // when it leaves the place where it is
	at place       // flying or entering
}

func (d *datagram) wire() int64 {
	n := int64(len(d.data))
	return n + datagramHeader*max(1, (n+fragment-1)/fragment)
}

// emit sends a datagram, whose data it owns. False: the queue of the uplink is
// full.
func (h *Host) emit(from, to netip.AddrPort, data []byte) bool {
	s := h.sim
	d := &datagram{host: h, from: from, to: to, data: data, cause: s.origin.next, at: flying}
	left, ok := h.up.passDatagram(s.now, d.wire())
	if !ok {
		return false
	}
	took := taking(d.wire(), h.Up)
	h.life.device(&h.life.up, "uplink", left-s.now-took, took, d.wire())
	other := d.receiver()
	if other == nil {
		return true // nobody has that address
	}
	if double := h.Double + other.Double; double > 0 && s.net.Float64() < double {
		again := *d
		again.data = slices.Clone(data)
		again.fly(left, other)
	}
	d.fly(left, other)
	return true
}

// fly sends the datagram, which leaves its host at a time, to another host.
// Datagrams arrive in the order of their times, whichever was sent first.
func (d *datagram) fly(left int64, to *Host) {
	s, from := d.host.sim, d.host
	if loss := from.Loss + to.Loss; loss > 0 && s.net.Float64() < loss {
		return
	}
	s.set(&d.on, left+int64(s.way(from, to)), nil, d)
}

// happen implements happening.
func (d *datagram) happen() {
	s, to := d.host.sim, d.receiver()
	switch {
	case d.at == entering:
		d.cause = s.pass(d.cause, Downlink, to)
		d.arrive(to)
	case !to.Alive() || s.cut(d.host, to):
		// lost
	case to.down.rate == 0:
		d.cause = s.pass(d.cause, Way, to)
		d.arrive(to)
	default:
		d.cause = s.pass(d.cause, Way, to)
		through, ok := to.down.passDatagram(s.now, d.wire())
		if !ok {
			return
		}
		took := taking(d.wire(), to.Down)
		to.life.device(&to.life.down, "downlink", through-s.now-took, took, d.wire())
		d.at = entering
		s.set(&d.on, through, to.life, d)
	}
}

// receiver is the host that the datagram is for, or nil.
func (d *datagram) receiver() *Host { return d.host.sim.byAddr[d.to.Addr()] }

// arrive hands the datagram to the socket that it is for, if there is one.
func (d *datagram) arrive(at *Host) {
	port, in := d.to.Port(), true
	if at.router != nil {
		port, in = at.router.in(at.sim.now, port, d.from)
	}
	socket := at.sockets[port]
	if socket == nil || !in {
		return
	}
	s := at.sim
	before := s.stem(d.cause)
	socket.take(messages.Datagram{Addr: d.from, Data: d.data})
	s.origin = before
}

func (d *datagram) tell(due *Due) {
	where := "arrives"
	if d.at == entering {
		where = "has passed the downlink"
	}
	due.What = fmt.Sprintf("a datagram of %d bytes from %v to %v %s", len(d.data), d.from, d.to, where)
}

// passage is when a datagram will have passed a port, and its bytes.
type passage struct{ at, bytes int64 }

// passDatagram is pass for a datagram; false: too many wait before the port.
func (p *port) passDatagram(now, bytes int64) (at int64, ok bool) {
	if p.rate == 0 {
		return now, true
	}
	for p.passing.len() > 0 && p.passing.waiting()[0].at <= now {
		p.waiting -= p.passing.pop().bytes
	}
	if p.waiting+bytes > datagramQueue {
		return 0, false
	}
	at = p.pass(now, bytes)
	p.waiting += bytes
	p.passing.push(passage{at, bytes})
	return at, true
}
