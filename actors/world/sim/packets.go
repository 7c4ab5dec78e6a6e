package sim

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"kouzui/actors/world"
	"kouzui/messages"
)

// packets is the world.Packets of one process.
type packets struct {
	host *Host
	life *life
}

// packetSocket is a bound UDP socket.
type packetSocket struct {
	host    *Host
	life    *life
	port    uint16
	receive func([]messages.Datagram)
	ahead   int                     // batches that were received and not given back
	held    fifo[messages.Datagram] // that have come meanwhile
	bytes   int64                   // of held
}

const (
	// packetsAhead is how many batches a socket receives ahead of Done.
	packetsAhead = 4
	// receiveBuffer is how many bytes a socket holds meanwhile, as much as Linux
	// gives it; each datagram takes heldHeader more. Later ones are lost.
	receiveBuffer, heldHeader = 208 << 10, 768
)

// Bind implements world.Packets. Hosts have addresses of IPv4 alone.
func (p packets) Bind(addr netip.AddrPort, receive func([]messages.Datagram), _ func(error)) (world.PacketSocket, error) {
	h := p.host
	if addr.Addr().Is6() {
		return nil, world.ErrNoAddress
	}
	if ip := addr.Addr(); ip != h.own() && ip != netip.IPv4Unspecified() {
		return nil, fmt.Errorf("%v: %w", ip, syscall.EADDRNOTAVAIL)
	}
	s := &packetSocket{host: h, life: p.life, port: addr.Port(), receive: receive}
	if s.port == 0 {
		s.port = h.freePort(func(port uint16) bool { return h.sockets[port] != nil })
	}
	if h.sockets[s.port] != nil {
		return nil, syscall.EADDRINUSE
	}
	h.sockets[s.port] = s
	return s, nil
}

func (p *packetSocket) Addr() netip.AddrPort { return netip.AddrPortFrom(p.host.own(), p.port) }

// open tells whether the socket is bound, and its process runs.
func (p *packetSocket) open() bool { return !p.life.over() && p.host.sockets[p.port] == p }

// Send implements world.PacketSocket. What finds the queue of the uplink full
// is lost; what the router has no room for is lost later, and not counted.
func (p *packetSocket) Send(batch []messages.Datagram) (lost int, err error) {
	if !p.open() {
		return len(batch), nil
	}
	for _, d := range batch {
		if len(d.Data) > maxDatagram {
			lost++
		} else if from, ok := p.host.outside(p.port, d.Addr); ok && !p.host.emit(from, d.Addr, slices.Clone(d.Data)) {
			lost++
		}
	}
	return lost, nil
}

// take receives a datagram that has come.
func (p *packetSocket) take(d messages.Datagram) {
	bytes := int64(len(d.Data)) + heldHeader
	if p.bytes+bytes > receiveBuffer {
		return
	}
	p.held.push(d)
	p.bytes += bytes
	p.hand()
}

// hand hands on what has come, if not too many batches are ahead.
func (p *packetSocket) hand() {
	if p.ahead < packetsAhead && p.held.len() > 0 {
		p.ahead++
		batch := slices.Clone(p.held.waiting())
		p.held.drop(len(batch))
		p.bytes = 0
		p.receive(batch)
	}
}

// Done implements world.PacketSocket.
func (p *packetSocket) Done() {
	p.ahead--
	if p.open() {
		p.hand()
	}
}

func (p *packetSocket) Close() {
	if p.open() {
		delete(p.host.sockets, p.port)
	}
}
