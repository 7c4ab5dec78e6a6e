//go:build !linux

package real

import (
	"bytes"
	"cmp"
	"net"
	"net/netip"

	"kouzui/messages"
)

// packetCalls reads and writes one datagram a call.
type packetCalls struct {
	conn *net.UDPConn
	buf  []byte // holds any datagram
}

func newPacketCalls(conn *net.UDPConn) (*packetCalls, error) {
	return &packetCalls{conn: conn, buf: make([]byte, 1<<16)}, nil
}

// read waits for a datagram.
func (p *packetCalls) read() ([]messages.Datagram, error) {
	n, from, err := p.conn.ReadFromUDPAddrPort(p.buf)
	if err != nil {
		return nil, err
	}
	addr := netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	return []messages.Datagram{{Addr: addr, Data: bytes.Clone(p.buf[:n])}}, nil
}

// Send implements world.PacketSocket.
func (p *packetCalls) Send(batch []messages.Datagram) (lost int, failed error) {
	for _, d := range batch {
		if _, err := p.conn.WriteToUDPAddrPort(d.Data, d.Addr); err != nil {
			lost++
			failed = cmp.Or(refusal(err), failed)
		}
	}
	return lost, failed
}

func (p *packetCalls) release() {}
