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

// How many connections may be waiting for a handshake. One peer needs one.
const (
	maxPending = 64 // in all
	maxPerHost = 4
)

// How many connections one host may open, whatever becomes of them.
const (
	hostRate  = 5  // a second
	hostBurst = 30 // at once
	maxHosts  = 4096
)

var (
	errCrowded  = errors.New("too many connections wait for a handshake")
	errHasty    = errors.New("too many connections from there in a short time")
	errStopping = errors.New("not listening any more")
)

// gate holds the links whose handshake has not come. The goroutine that accepts
// puts them in, before it tells the listener: should that message be lost with
// the listener's mailbox, the link is still found, and closed.
//
// When there are too many, the one that has waited longest makes room, of the
// host that has the most: whoever means to speak does so at once, and no host
// keeps others out.
type gate struct {
	mu     sync.Mutex
	queue  []messages.Link          // in the order in which they came
	hosts  map[netip.Addr]int       // links of each; never 0
	paces  map[netip.Addr]time.Time // until when the connections that a host has opened use up its rate
	closed bool
}

func newGate() *gate {
	return &gate{hosts: map[netip.Addr]int{}, paces: map[netip.Addr]time.Time{}}
}

// enter lets a link in, or closes it.
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
	case bounded && !g.paced(host, now):
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

// paced takes note of one more connection of a host, and tells whether it keeps
// to its rate.
func (g *gate) paced(host netip.Addr, now time.Time) bool {
	if len(g.paces) >= maxHosts {
		maps.DeleteFunc(g.paces, func(_ netip.Addr, until time.Time) bool { return !until.After(now) })
	}
	until := g.paces[host]
	if until.Before(now) {
		until = now
	}
	if until.Sub(now) > (hostBurst-1)*time.Second/hostRate {
		return false
	}
	if len(g.paces) < maxHosts {
		g.paces[host] = until.Add(time.Second / hostRate)
	}
	return true
}

func (g *gate) fullest() (host netip.Addr) {
	most := 0
	for _, l := range g.queue { // of two that have as many, the one that came first
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

// leave takes a link out; from then on it belongs to the caller.
func (g *gate) leave(l messages.Link) {
	host, _ := hostOf(l)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.remove(l, host)
}

func (g *gate) remove(l messages.Link, host netip.Addr) {
	i := slices.Index(g.queue, l)
	if i < 0 {
		return // it had to make room
	}
	g.queue = slices.Delete(g.queue, i, i+1)
	if g.hosts[host]--; g.hosts[host] == 0 {
		delete(g.hosts, host)
	}
}

// close closes all links that are in, and those that still come.
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

// hostOf is whose links are counted together. Programs on this very machine share
// an address and are not bounded.
func hostOf(l messages.Link) (host netip.Addr, bounded bool) {
	host = messages.HostOf(l.Remote().Addr())
	return host, !l.Remote().Addr().Unmap().IsLoopback()
}
