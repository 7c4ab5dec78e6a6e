package listener

import (
	"errors"
	"net/netip"
	"sync"

	"kouzui/messages"
)

// How many connections may be waiting for a handshake. One peer needs one.
const (
	maxPending = 64 // in all
	maxPerHost = 4
)

var (
	errCrowded  = errors.New("too many connections wait for a handshake")
	errStopping = errors.New("not listening any more")
)

// gate holds the links whose handshake has not come. The goroutine that accepts
// puts them in, before it tells the listener: should that message be lost with
// the listener's mailbox, the link is still found, and closed.
type gate struct {
	mu    sync.Mutex
	links map[uint64]messages.Link // by ID; nil once closed
	hosts map[netip.Prefix]int     // links of each; never 0
}

func newGate() *gate {
	return &gate{links: map[uint64]messages.Link{}, hosts: map[netip.Prefix]int{}}
}

// enter lets a link in, or closes it.
func (g *gate) enter(l messages.Link) bool {
	err := g.admit(l)
	if err != nil {
		l.Close(err)
	}
	return err == nil
}

func (g *gate) admit(l messages.Link) error {
	host, bounded := hostOf(l)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.links == nil:
		return errStopping
	case len(g.links) >= maxPending, bounded && g.hosts[host] >= maxPerHost:
		return errCrowded
	}
	g.links[l.ID()] = l
	if bounded {
		g.hosts[host]++
	}
	return nil
}

// leave takes a link out; from then on it belongs to the caller.
func (g *gate) leave(l messages.Link) {
	host, bounded := hostOf(l)
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.links, l.ID())
	if !bounded {
		return
	}
	if g.hosts[host]--; g.hosts[host] <= 0 {
		delete(g.hosts, host)
	}
}

// close closes all links that are in, and those that still come.
func (g *gate) close() {
	g.mu.Lock()
	links := g.links
	g.links = nil
	g.mu.Unlock()
	for _, l := range links {
		l.Close(errStopping)
	}
}

// hostOf is whose links are counted together: an IPv4 address, or what one
// subscriber commonly has of IPv6. Programs on this very machine share an
// address and are not counted.
func hostOf(l messages.Link) (host netip.Prefix, bounded bool) {
	a := l.Remote().Addr().Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	host, err := a.Prefix(bits)
	return host, err == nil && !a.IsLoopback()
}
