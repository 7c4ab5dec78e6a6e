package sim

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
)

var (
	errTimedOut = errors.New("timed out")
	errClosed   = errors.New("closed")
	errReset    = syscall.ECONNRESET
)

// network is the network as the process of a life sees it.
type network struct {
	host *Host
	life *life
}

type listener struct {
	host   *Host
	port   uint16
	accept func(messages.Link)
}

// Listen is world.Network's. Connections are accepted as fast as they come.
func (n network) Listen(addr string, _ int, accept func(messages.Link), _ func(error)) (world.Listener, error) {
	_, text, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %q: %w", text, syscall.EINVAL)
	}
	l := &listener{host: n.host, port: uint16(number), accept: accept}
	if l.port == 0 {
		l.port = n.host.freePort()
	}
	if n.host.listeners[l.port] != nil {
		return nil, syscall.EADDRINUSE
	}
	n.host.listeners[l.port] = l
	return l, nil
}

func (h *Host) freePort() uint16 {
	h.lastPort++
	for h.listeners[h.lastPort] != nil {
		h.lastPort++
	}
	return h.lastPort
}

func (l *listener) Addr() netip.AddrPort { return netip.AddrPortFrom(l.host.Addr, l.port) }

func (l *listener) Close() {
	if l.host.listeners[l.port] == l {
		delete(l.host.listeners, l.port)
	}
}

// Dial is world.Network's: the answer takes a round trip; where there is
// nobody, or behind a partition, there is none.
func (n network) Dial(addr netip.AddrPort, timeout time.Duration, done func(messages.Link, error)) (cancel func()) {
	s, from := n.host.sim, n.host
	over := false
	lapse := s.at(s.now+int64(timeout), n.life, func() {
		over = true
		done(nil, errTimedOut)
	})
	answer := func(l *link, err error) {
		if over {
			if l != nil {
				l.Close(errClosed)
			}
			return
		}
		over = true
		lapse.Stop()
		if l == nil {
			done(nil, err)
			return
		}
		done(l, nil)
	}
	if to := s.byAddr[addr.Addr()]; to != nil {
		local := netip.AddrPortFrom(from.Addr, from.freePort())
		s.at(s.now+s.transit(from, to), n.life, func() { s.knock(n.life, to, local, addr, answer) })
	}
	return func() {
		over = true
		lapse.Stop()
	}
}

// knock is what happens where a dial arrives.
func (s *Sim) knock(caller *life, to *Host, local, addr netip.AddrPort, answer func(*link, error)) {
	from := caller.host
	if !to.Alive() || s.cut(from, to) {
		return // nobody answers
	}
	back := s.now + s.transit(to, from)
	l := to.listeners[addr.Port()]
	if l == nil {
		s.at(back, caller, func() { answer(nil, syscall.ECONNREFUSED) })
		return
	}
	ours, theirs := s.connect(caller, to.life, addr, local)
	l.accept(theirs)
	s.at(back, caller, func() { answer(ours, nil) })
}

// transit is how long one segment takes from one host to another, in
// nanoseconds.
func (s *Sim) transit(from, to *Host) int64 {
	d := from.Delay + to.Delay
	if jitter := from.Jitter + to.Jitter; jitter > 0 {
		d += time.Duration(s.net.Int64N(int64(jitter)))
	}
	if loss := from.Loss + to.Loss; loss > 0 && s.net.Float64() < loss {
		d += 200*time.Millisecond + 2*(from.Delay+to.Delay)
	}
	return int64(d)
}

func (s *Sim) cut(a, b *Host) bool { return a.side != b.side }

// Partition divides the network: hosts of different sides cannot reach each
// other, though they do not notice. Trackers are on side 0.
func (s *Sim) Partition(side func(*Host) int) {
	for _, h := range s.hosts {
		h.side = side(h)
	}
	s.retransmit()
}

// Heal ends a partition. What was sent meanwhile arrives.
func (s *Sim) Heal() { s.Partition(func(*Host) int { return 0 }) }

// retransmit sends what a partition has held, as far as it is not held still.
func (s *Sim) retransmit() {
	held := s.held
	s.held = nil
	for _, seg := range held {
		seg.launch()
	}
}

// Hosts are all, in the order in which they were added.
func (s *Sim) Hosts() []*Host { return slices.Clone(s.hosts) }

// Reset breaks a connection of h, which chance picks, and tells whether there
// was one.
func (h *Host) Reset() bool {
	if len(h.links) == 0 {
		return false
	}
	l := h.links[h.sim.net.IntN(len(h.links))]
	other := l.other
	l.end(errReset)
	other.end(errReset)
	return true
}

// port is what all connections of a host share in one direction: segments pass
// it one after the other.
type port struct {
	rate int64
	free int64 // when it has passed what it was given
}

// pass tells when a segment of so many bytes has passed.
func (p *port) pass(now, bytes int64) int64 {
	p.free = max(p.free, now) + taking(bytes, p.rate)
	return p.free
}
