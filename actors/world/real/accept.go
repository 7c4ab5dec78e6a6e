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

// How long accepting pauses when the process or the system is out of
// descriptors or memory; each pause is twice the one before.
const (
	minAcceptPause = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

// Listen implements world.Network. An empty host means every address of the
// machine, IPv4 and IPv6. With perSecond 0 the rate is not limited.
func (n *Network) Listen(addr string, perSecond int, accept func(messages.Link), failed func(error)) (world.Listener, error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	socket, err := config.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, cause(err)
	}
	take := func(conn net.Conn) {
		if !n.crowd.enter(true) {
			_ = conn.Close()
			accept(nil)
			return
		}
		accept(n.link(conn, addrPort(conn.RemoteAddr()), true))
	}
	l := &listener{socket: socket, pace: newPace(perSecond), closing: make(chan struct{}), ended: make(chan struct{})}
	go l.run(take, failed)
	return l, nil
}

// listener accepts connections on a goroutine of its own.
type listener struct {
	socket  net.Listener
	pace    pace
	once    sync.Once
	closing chan struct{}
	ended   chan struct{}
}

func (l *listener) Addr() netip.AddrPort { return addrPort(l.socket.Addr()) }

// Close implements world.Listener; accept must not call it.
func (l *listener) Close() {
	l.once.Do(func() {
		close(l.closing)
		_ = l.socket.Close()
	})
	<-l.ended
}

func (l *listener) run(take func(net.Conn), failed func(error)) {
	defer close(l.ended)
	pause := minAcceptPause
	for {
		conn, err := l.socket.Accept()
		switch {
		case err == nil:
			if l.isClosing() {
				_ = conn.Close()
				return
			}
			pause = minAcceptPause
			take(conn)
			if !l.wait(l.pace.next(time.Now())) {
				return
			}
		case l.isClosing():
			return
		case passing(err):
			if !l.wait(pause) {
				return
			}
			pause = min(2*pause, maxAcceptPause)
		default:
			_ = l.socket.Close()
			failed(cause(err))
			return
		}
	}
}

func (l *listener) isClosing() bool {
	select {
	case <-l.closing:
		return true
	default:
		return false
	}
}

// wait waits for d, and tells whether accepting goes on then.
func (l *listener) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.closing:
		return false
	}
}

// passing tells whether accepting may succeed later, despite err: either this
// one connection failed, or descriptors or memory are used up for now.
func passing(err error) bool {
	for _, errno := range []syscall.Errno{
		syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EPROTO, syscall.EPERM, syscall.EINTR,
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// pace limits how many events there are in any second, to the length of last.
type pace struct {
	last []time.Time // of the latest events, as a ring
	slot int         // of the oldest
}

func newPace(perSecond int) pace { return pace{last: make([]time.Time, max(perSecond, 0))} }

// next counts an event now, and returns how long the next one has to wait.
func (p *pace) next(now time.Time) time.Duration {
	if len(p.last) == 0 {
		return 0
	}
	p.last[p.slot] = now
	p.slot = (p.slot + 1) % len(p.last)
	if oldest := p.last[p.slot]; !oldest.IsZero() {
		return oldest.Add(time.Second).Sub(now)
	}
	return 0
}

func addrPort(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
