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
}

// Bind implements world.Packets. Hosts have addresses of IPv4 alone.
func (p packets) Bind(addr netip.AddrPort, receive func([]messages.Datagram), _ func(error)) (world.PacketSocket, error) {
	h := p.host
	if ip := addr.Addr(); ip != h.Addr && ip != netip.IPv4Unspecified() {
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

func (p *packetSocket) Addr() netip.AddrPort { return netip.AddrPortFrom(p.host.Addr, p.port) }

// open tells whether the socket is bound, and its process runs.
func (p *packetSocket) open() bool { return !p.life.over() && p.host.sockets[p.port] == p }

// Send implements world.PacketSocket. What finds the queue of the uplink full
// is lost.
func (p *packetSocket) Send(batch []messages.Datagram) (lost int) {
	if !p.open() {
		return len(batch)
	}
	for _, d := range batch {
		if len(d.Data) > maxDatagram || !p.host.emit(p.Addr(), d.Addr, slices.Clone(d.Data)) {
			lost++
		}
	}
	return lost
}

func (p *packetSocket) Close() {
	if p.open() {
		delete(p.host.sockets, p.port)
	}
}
