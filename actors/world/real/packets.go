package real

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
)

// ahead is how many batches a socket receives ahead of Done.
const ahead = 4

// receiveBuffer is the bytes that the system keeps for a socket until they are
// received. By default some 270 datagrams fit, however short: of 1,000 torrents
// that announce at once, a fifth had to ask again after 5 s.
const receiveBuffer = 2 << 20

// Packets opens UDP sockets. With a Source, all are bound to its address of
// their family, whatever address is asked for.
type Packets struct{ Source *Source }

// Bind implements world.Packets.
func (p Packets) Bind(addr netip.AddrPort, receive func([]messages.Datagram), failed func(error)) (world.PacketSocket, error) {
	host, err := p.Source.addressFor(addr.Addr())
	if err != nil {
		return nil, err
	}
	network := "udp4"
	if host.Is6() {
		network = "udp6" // and no IPv4
	}
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error { return p.Source.bindDevice(c) }}
	opened, err := config.ListenPacket(context.Background(), network, netip.AddrPortFrom(host, addr.Port()).String())
	if errors.Is(err, syscall.EAFNOSUPPORT) {
		return nil, world.ErrNoAddress
	}
	if err != nil {
		return nil, cause(err)
	}
	conn := opened.(*net.UDPConn)
	_ = conn.SetReadBuffer(receiveBuffer) // as much of it as the system allows
	calls, err := newPacketCalls(conn)
	if err != nil {
		_ = conn.Close()
		return nil, cause(err)
	}
	s := &packetSocket{packetCalls: calls, conn: conn, credits: make(chan struct{}, ahead), closing: make(chan struct{}), ended: make(chan struct{})}
	for range ahead {
		s.credits <- struct{}{}
	}
	go s.run(receive, failed)
	return s, nil
}

// refusal is why the system does not send a datagram; nil: for want of room,
// which passes, or the socket is closed.
func refusal(err error) error {
	err = cause(err)
	switch err {
	case errClosed, syscall.EAGAIN, syscall.ENOBUFS, syscall.ENOMEM:
		return nil
	case syscall.EADDRNOTAVAIL: // to send from
		return world.ErrNoAddress
	case syscall.EINVAL: // Linux says so of the way from loopback to elsewhere
		return syscall.ENETUNREACH
	}
	return err
}

// packetSocket receives on a goroutine of its own.
type packetSocket struct {
	*packetCalls
	conn    *net.UDPConn
	credits chan struct{} // each for one batch
	once    sync.Once
	closing chan struct{}
	ended   chan struct{}
}

// Addr implements world.PacketSocket.
func (s *packetSocket) Addr() netip.AddrPort {
	return s.conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// Done implements world.PacketSocket.
func (s *packetSocket) Done() { s.credits <- struct{}{} }

// Close implements world.PacketSocket; receive must not call it.
func (s *packetSocket) Close() {
	s.once.Do(func() {
		close(s.closing)
		_ = s.conn.Close()
	})
	<-s.ended
}

func (s *packetSocket) run(receive func([]messages.Datagram), failed func(error)) {
	defer close(s.ended)
	defer s.release()
	pause := minAcceptPause
	for {
		select {
		case <-s.credits:
		case <-s.closing:
			return
		}
		batch, err := s.read()
		for err != nil && passing(err) {
			select {
			case <-time.After(pause):
			case <-s.closing:
				return
			}
			pause = min(2*pause, maxAcceptPause)
			batch, err = s.read()
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			_ = s.conn.Close()
			failed(cause(err))
			return
		}
		pause = minAcceptPause
		receive(batch)
	}
}
