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

// network is the network of one process.
type network struct {
	host *Host
	life *life
}

type listener struct {
	host   *Host
	port   uint16
	accept func(messages.Link)
}

// Listen implements world.Network. The rate of accepting is not limited.
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
		l.port = n.host.freePort(n.host.listens)
	}
	if n.host.listeners[l.port] != nil {
		return nil, syscall.EADDRINUSE
	}
	n.host.listeners[l.port] = l
	return l, nil
}

func (h *Host) listens(port uint16) bool { return h.listeners[port] != nil }

// freePort is the next port that is not taken.
func (h *Host) freePort(taken func(uint16) bool) uint16 {
	h.lastPort++
	for taken(h.lastPort) {
		h.lastPort++
	}
	return h.lastPort
}

func (l *listener) Addr() netip.AddrPort { return netip.AddrPortFrom(l.host.own(), l.port) }

func (l *listener) Close() {
	if l.host.listeners[l.port] == l {
		delete(l.host.listeners, l.port)
	}
}

// Dial implements world.Network. The answer takes a round trip. If no host has
// that address, or it is behind a NAT or a partition, no answer comes before
// the timeout.
func (n network) Dial(addr netip.AddrPort, timeout time.Duration, done func(messages.Link, error)) (cancel func()) {
	s, from := n.host.sim, n.host
	over := false
	lapse := s.at(s.now+int64(timeout), Timer, n.life, func() {
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
		local := netip.AddrPortFrom(from.Addr, from.freePort(from.listens))
		s.at(s.now+s.transit(from, to), Dial, n.life, func() { s.knock(n.life, to, local, addr, answer) })
	}
	return func() {
		over = true
		lapse.Stop()
	}
}

// knock handles a dial where it arrives.
func (s *Sim) knock(caller *life, to *Host, local, addr netip.AddrPort, answer func(*link, error)) {
	from := caller.host
	if !to.Alive() || to.router != nil || s.cut(from, to) {
		return // no answer
	}
	back := s.now + s.transit(to, from)
	l := to.listeners[addr.Port()]
	if l == nil {
		s.at(back, Dial, caller, func() { answer(nil, syscall.ECONNREFUSED) })
		return
	}
	ours, theirs := s.connect(caller, to.life, addr, local)
	l.accept(theirs)
	s.at(back, Dial, caller, func() { answer(ours, nil) })
}

// way is how long what is not lost takes from one host to another.
func (s *Sim) way(from, to *Host) time.Duration {
	d := from.Delay + to.Delay
	if jitter := from.Jitter + to.Jitter; jitter > 0 {
		d += time.Duration(s.net.Int64N(int64(jitter)))
	}
	return d
}

// transit is how long one segment takes from one host to another, in
// nanoseconds.
func (s *Sim) transit(from, to *Host) int64 {
	d := s.way(from, to)
	if loss := from.Loss + to.Loss; loss > 0 && s.net.Float64() < loss {
		d += 200*time.Millisecond + 2*(from.Delay+to.Delay)
	}
	return int64(d)
}

func (s *Sim) cut(a, b *Host) bool { return a.side != b.side }

// Partition divides the network into sides: hosts on different sides cannot
// reach each other, but their connections stay open. Trackers are on side 0.
func (s *Sim) Partition(side func(*Host) int) {
	for _, h := range s.hosts {
		h.side = side(h)
	}
	s.retransmit()
}

// Heal ends a partition. What was sent during the partition arrives then.
func (s *Sim) Heal() { s.Partition(func(*Host) int { return 0 }) }

// retransmit sends the segments that a partition has held back, unless another
// partition holds them back now.
func (s *Sim) retransmit() {
	held := s.held
	s.held = nil
	for _, seg := range held {
		seg.launch()
	}
}

// HostAt is the host that others see at an address; nil: there is none.
func (s *Sim) HostAt(a netip.Addr) *Host { return s.byAddr[a] }

// Hosts returns all hosts, in the order in which they were added.
func (s *Sim) Hosts() []*Host { return slices.Clone(s.hosts) }

// Reset breaks one connection of h, chosen by chance. It returns false if h has
// none.
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

// port is what all connections and datagrams of a host share in one direction.
// They pass it one after the other.
type port struct {
	rate int64
	free int64 // when what came last will have passed
	// The datagrams that have not passed yet, and their bytes.
	passing fifo[passage]
	waiting int64
}

// pass returns when a segment of this many bytes will have passed.
func (p *port) pass(now, bytes int64) int64 {
	p.free = max(p.free, now) + taking(bytes, p.rate)
	return p.free
}
