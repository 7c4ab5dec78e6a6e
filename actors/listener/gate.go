package listener

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"kouzui/messages"
)

// Bounds of the connections that wait for a handshake. A peer needs one.
const (
	maxPending = 64 // in all
	maxPerHost = 4
)

// maxHeld bounds the handshakes that wait for the routes: each pending
// connection may tell of the start of one, and then of all of it. So there is
// always room once those are gone whose connection the gate has closed.
const maxHeld = 2 * maxPending

// Bounds of the connections that one host may open, however they end.
const (
	hostRate  = 5    // a second
	hostBurst = 30   // at once
	maxHosts  = 4096 // hosts whose rate is remembered
)

var (
	errCrowded  = errors.New("too many connections wait for a handshake")
	errHasty    = errors.New("too many connections from this host in a short time")
	errStopping = errors.New("the listener is stopping")
)

// gate admits connections, and holds the links whose handshake has not come.
// The goroutine that accepts puts a link in before it sends it to the listener:
// should that message be lost with the listener's mailbox, close still finds
// the link.
//
// When too many links wait, the gate closes the one that has waited longest, of
// the host that has the most: an honest peer sends its handshake at once, and
// no host keeps others out.
type gate struct {
	mu    sync.Mutex
	queue []messages.Link    // in the order in which they came
	hosts map[netip.Addr]int // links of each host; never 0
	// spentUntil is when the rate of a host has room for hostBurst connections
	// again: each connection moves that moment on by 1/hostRate.
	spentUntil map[netip.Addr]time.Time
	closed     bool
}

func newGate() *gate {
	return &gate{hosts: map[netip.Addr]int{}, spentUntil: map[netip.Addr]time.Time{}}
}

// enter admits a link, or closes it.
func (g *gate) enter(l messages.Link, now time.Time) bool {
	evicted, err := g.admit(l, now)
	if evicted != nil {
		evicted.Close(errCrowded)
	}
	if err != nil {
		l.Close(err)
	}
	return err == nil
}

func (g *gate) admit(l messages.Link, now time.Time) (evicted messages.Link, err error) {
	host, bounded := hostOf(l)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return nil, errStopping
	case bounded && !g.withinRate(host, now):
		return nil, errHasty
	case bounded && g.hosts[host] >= maxPerHost:
		evicted = g.evict(host)
	case len(g.queue) >= maxPending:
		evicted = g.evict(g.fullest())
	}
	g.queue = append(g.queue, l)
	g.hosts[host]++
	return evicted, nil
}

// withinRate counts one more connection of a host, and tells whether its rate
// allows it.
func (g *gate) withinRate(host netip.Addr, now time.Time) bool {
	if len(g.spentUntil) >= maxHosts {
		maps.DeleteFunc(g.spentUntil, func(_ netip.Addr, until time.Time) bool { return !until.After(now) })
	}
	until := g.spentUntil[host]
	if until.Before(now) {
		until = now
	}
	if until.Sub(now) > (hostBurst-1)*time.Second/hostRate {
		return false
	}
	if len(g.spentUntil) < maxHosts {
		g.spentUntil[host] = until.Add(time.Second / hostRate)
	}
	return true
}

// fullest is the host that has the most links; of two that have as many, the
// one that came first.
func (g *gate) fullest() (host netip.Addr) {
	most := 0
	for _, l := range g.queue {
		if h, _ := hostOf(l); g.hosts[h] > most {
			host, most = h, g.hosts[h]
		}
	}
	return host
}

func (g *gate) evict(host netip.Addr) messages.Link {
	for _, l := range g.queue {
		if h, _ := hostOf(l); h == host {
			g.remove(l, host)
			return l
		}
	}
	return nil
}

// leave takes a link out, if it is still in; the caller owns it from then on.
func (g *gate) leave(l messages.Link) {
	host, _ := hostOf(l)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.remove(l, host)
}

// holds tells whether a link is in.
func (g *gate) holds(l messages.Link) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Contains(g.queue, l)
}

func (g *gate) remove(l messages.Link, host netip.Addr) {
	i := slices.Index(g.queue, l)
	if i < 0 {
		return // evicted
	}
	g.queue = slices.Delete(g.queue, i, i+1)
	if g.hosts[host]--; g.hosts[host] == 0 {
		delete(g.hosts, host)
	}
}

// close closes all links that are in, and has enter close those that still
// come.
func (g *gate) close() {
	g.mu.Lock()
	links := g.queue
	g.queue, g.closed = nil, true
	clear(g.hosts)
	g.mu.Unlock()
	for _, l := range links {
		l.Close(errStopping)
	}
}

// hostOf is the host with which a link is counted. Programs on this very
// machine share an address, so their links are not bounded by host.
func hostOf(l messages.Link) (host netip.Addr, bounded bool) {
	host = messages.HostOf(l.Remote().Addr())
	return host, !l.Remote().Addr().Unmap().IsLoopback()
}

// hold keeps a handshake until the routes have come.
func (s *socket) hold(m waiter) {
	if len(s.held) >= maxHeld {
		s.held = slices.DeleteFunc(s.held, func(h waiter) bool { return !s.gate.holds(h.of()) })
	}
	if s.gate.holds(m.of()) {
		s.held = append(s.held, m)
	}
}
