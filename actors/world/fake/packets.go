package fake

import (
	"net/netip"
	"sync/atomic"

	"kouzui/actors/world"
	"kouzui/messages"
)

// Packets is a world.Packets whose other hosts are the test.
type Packets struct {
	// BindError, if it is set, is called for each Bind; an error that it returns
	// is the result.
	BindError func(addr netip.AddrPort) error

	sockets queue[*PacketSocket]
}

// PacketSocket is one bound socket.
type PacketSocket struct {
	// Lost is how many datagrams of each batch Send drops, the last ones, and
	// Refusal why; nil: there is no room for them.
	Lost    int
	Refusal error

	addr    netip.AddrPort
	receive func([]messages.Datagram)
	failed  func(error)
	sent    queue[[]messages.Datagram]
	done    queue[struct{}]
	closed  atomic.Bool
}

// Bind implements world.Packets. In place of port 0 the socket has port 6881.
func (p *Packets) Bind(addr netip.AddrPort, receive func([]messages.Datagram), failed func(error)) (world.PacketSocket, error) {
	if p.BindError != nil {
		if err := p.BindError(addr); err != nil {
			return nil, err
		}
	}
	if addr.Port() == 0 {
		addr = netip.AddrPortFrom(addr.Addr(), 6881)
	}
	s := &PacketSocket{addr: addr, receive: receive, failed: failed}
	p.sockets.put(s)
	return s, nil
}

// AwaitSocket waits for a Bind and takes it off the list.
func (p *Packets) AwaitSocket() *PacketSocket { return p.sockets.next() }

// Addr implements world.PacketSocket.
func (s *PacketSocket) Addr() netip.AddrPort { return s.addr }

// Send implements world.PacketSocket.
func (s *PacketSocket) Send(batch []messages.Datagram) (lost int, err error) {
	lost = min(s.Lost, len(batch))
	kept := make([]messages.Datagram, len(batch)-lost)
	for i := range kept {
		kept[i] = messages.Datagram{Addr: batch[i].Addr, Data: append([]byte{}, batch[i].Data...)}
	}
	s.sent.put(kept)
	if lost > 0 {
		err = s.Refusal
	}
	return lost, err
}

// AwaitSent waits for a batch that the actor sends.
func (s *PacketSocket) AwaitSent() []messages.Datagram { return s.sent.next() }

// WaitingSent is how many batches AwaitSent would give without waiting.
func (s *PacketSocket) WaitingSent() int { return s.sent.len() }

// Arrive hands the actor a batch, unless the socket is closed.
func (s *PacketSocket) Arrive(batch ...messages.Datagram) {
	if !s.Closed() {
		s.receive(batch)
	}
}

// Done implements world.PacketSocket.
func (s *PacketSocket) Done() { s.done.put(struct{}{}) }

// AwaitDone waits until the actor has given a batch back.
func (s *PacketSocket) AwaitDone() { s.done.next() }

// WaitingDone is how often AwaitDone would return without waiting.
func (s *PacketSocket) WaitingDone() int { return s.done.len() }

// Fail reports to the actor that receiving has ended with an error.
func (s *PacketSocket) Fail(err error) {
	if !s.closed.Swap(true) {
		s.failed(err)
	}
}

// Close implements world.PacketSocket.
func (s *PacketSocket) Close() { s.closed.Store(true) }

// Closed tells whether the socket was closed, or has failed.
func (s *PacketSocket) Closed() bool { return s.closed.Load() }
