package fault

import (
	"net/netip"
	"slices"
	"sync"

	"kouzui/actors/world"
	"kouzui/messages"
)

// Errors of a datagram.
const (
	lost    = "lost"
	doubled = "doubled"
)

// packets is a world.Packets whose datagrams are lost, come twice or late by
// plan. Each datagram is an occasion.
type packets struct {
	world.Packets
	site *site
}

// Bind implements world.Packets.
func (p packets) Bind(addr netip.AddrPort, receive func([]messages.Datagram), failed func(error)) (world.PacketSocket, error) {
	s := &packetSocket{site: p.site, receive: receive}
	bound, err := p.Packets.Bind(addr, s.take, failed)
	if err != nil {
		return nil, err
	}
	s.PacketSocket = bound
	return s, nil
}

type packetSocket struct {
	world.PacketSocket
	site *site

	mu      sync.Mutex
	receive func([]messages.Datagram) // nil: closed
	late    int                       // batches that were received late and not given back
}

// take receives a batch. One of which nothing is left is received empty, so
// that it is given back.
func (s *packetSocket) take(batch []messages.Datagram) {
	now := s.strike("receive", batch, func(late []messages.Datagram) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.receive != nil {
			s.late++
			s.receive(late)
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.receive != nil {
		s.receive(now)
	}
}

// Send implements world.PacketSocket. What a fault loses is not counted, as a
// sender does not hear what the network loses.
func (s *packetSocket) Send(batch []messages.Datagram) (lost int, err error) {
	return s.PacketSocket.Send(s.strike("send", batch, func(late []messages.Datagram) {
		s.mu.Lock()
		open := s.receive != nil
		s.mu.Unlock()
		if open {
			_, _ = s.PacketSocket.Send(late)
		}
	}))
}

// strike returns what of a batch goes on at once, and has later called with
// each of the others that is late.
func (s *packetSocket) strike(op string, batch []messages.Datagram, later func([]messages.Datagram)) (now []messages.Datagram) {
	for i, d := range batch {
		f := s.site.strike(Datagram, func(spec *Spec) bool {
			return (spec.Op == "" || spec.Op == op) && spec.Peer.Match(d.Addr.String())
		}, op+" "+d.Addr.String())
		if f == nil {
			if now != nil {
				now = append(now, d)
			}
			continue
		}
		if now == nil {
			now = append(make([]messages.Datagram, 0, len(batch)+1), batch[:i]...)
		}
		switch {
		case f.Error == doubled:
			now = append(now, d, messages.Datagram{Addr: d.Addr, Data: slices.Clone(d.Data)})
		case f.Error == "":
			copied := []messages.Datagram{{Addr: d.Addr, Data: slices.Clone(d.Data)}}
			s.site.clock.AfterFunc(f.Time, func() { later(copied) })
		}
	}
	if now == nil {
		return batch
	}
	return now
}

// Done implements world.PacketSocket.
func (s *packetSocket) Done() {
	s.mu.Lock()
	late := s.late > 0
	if late {
		s.late--
	}
	s.mu.Unlock()
	if !late {
		s.PacketSocket.Done()
	}
}

// Close implements world.PacketSocket.
func (s *packetSocket) Close() {
	s.PacketSocket.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receive = nil
}
