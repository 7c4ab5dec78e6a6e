package sim

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// NAT is how the router before a host translates addresses, in the words of RFC
// 4787. The zero value: there is none. Nobody behind it is dialled, as
// connections that come in have no mapping.
type NAT struct {
	// Mapping is on what of the other side it depends which port of the router
	// stands for a port of the host.
	Mapping Dependence
	// Filtering is what of the other side must have been sent to, for what comes
	// from there to be let in.
	Filtering Dependence
	// Draws says that ports of the router are drawn by chance. Else they are those
	// of the host, as long as they are free.
	Draws bool
	// Lifetime is how long a mapping, and what it lets in, lasts after something
	// was sent. What comes in does not prolong it.
	Lifetime time.Duration
}

// Dependence is on what of the other side something depends.
type Dependence string

// What something can depend on.
const (
	EndpointIndependent     Dependence = "endpoint-independent"
	AddressDependent        Dependence = "address-dependent"
	AddressAndPortDependent Dependence = "address-and-port-dependent"
)

// of is the part of an address on which it depends.
func (d Dependence) of(addr netip.AddrPort) netip.AddrPort {
	switch d {
	case AddressDependent:
		return netip.AddrPortFrom(addr.Addr(), 0)
	case AddressAndPortDependent:
		return addr
	default:
		return netip.AddrPort{}
	}
}

// inside is the address of every host behind a NAT, as its process knows it.
var inside = netip.AddrFrom4([4]byte{192, 168, 1, 2})

const (
	// natRoom is how many openings a router keeps at most, the least that is found
	// in routers of homes. When all are in use, what needs another one is lost.
	natRoom = 2048
	// lowestDrawn is the lowest port that is drawn.
	lowestDrawn = 1024
)

// router is the NAT before a host.
type router struct {
	NAT
	rnd      *rand.Rand
	mappings map[mapped]*mapping
	byPort   map[uint16]*mapping // by port of the router
	openings map[opening]int64   // until when
}

// mapped is what a mapping is for: a port of the host, and what it depends on.
type mapped struct {
	port uint16
	to   netip.AddrPort
}

type mapping struct {
	mapped
	outside uint16
	until   int64
}

// opening lets in what comes from there to a port of the router.
type opening struct {
	port uint16
	from netip.AddrPort
}

func (s *Sim) newRouter(n NAT, host string) *router {
	if n == (NAT{}) {
		return nil
	}
	return &router{NAT: n, rnd: s.Rand("nat " + host), mappings: map[mapped]*mapping{}, byPort: map[uint16]*mapping{}, openings: map[opening]int64{}}
}

// out returns the port of the router from which what a port of the host sends
// goes on; false: there is no room.
func (r *router) out(now int64, port uint16, to netip.AddrPort) (outside uint16, ok bool) {
	if len(r.openings) >= natRoom || len(r.mappings) >= natRoom {
		r.sweep(now)
	}
	until := now + int64(r.Lifetime)
	key := mapped{port, r.Mapping.of(to)}
	m := r.mappings[key]
	if m != nil && m.until <= now {
		r.forget(m)
		m = nil
	}
	if m == nil {
		if len(r.mappings) >= natRoom {
			return 0, false
		}
		m = &mapping{mapped: key, outside: r.free(now, port)}
		r.mappings[key], r.byPort[m.outside] = m, m
	}
	lets := opening{m.outside, r.Filtering.of(to)}
	if _, is := r.openings[lets]; !is && len(r.openings) >= natRoom {
		return 0, false
	}
	m.until, r.openings[lets] = until, until
	return m.outside, true
}

// in returns the port of the host that what comes to a port of the router is
// for; false: it is not let in.
func (r *router) in(now int64, outside uint16, from netip.AddrPort) (port uint16, ok bool) {
	m := r.byPort[outside]
	if m == nil || m.until <= now || r.openings[opening{outside, r.Filtering.of(from)}] <= now {
		return 0, false
	}
	return m.port, true
}

// free is a port of the router that stands for none yet. There are more ports
// than mappings.
func (r *router) free(now int64, wish uint16) uint16 {
	for port := wish; ; port = uint16(lowestDrawn + r.rnd.IntN(1<<16-lowestDrawn)) {
		if m := r.byPort[port]; m != nil && m.until <= now {
			r.forget(m)
		}
		if r.byPort[port] == nil && !(r.Draws && port == wish) {
			return port
		}
	}
}

func (r *router) forget(m *mapping) {
	delete(r.mappings, m.mapped)
	delete(r.byPort, m.outside)
}

// sweep forgets what is over.
func (r *router) sweep(now int64) {
	for _, m := range r.mappings {
		if m.until <= now {
			r.forget(m)
		}
	}
	for o, until := range r.openings {
		if until <= now {
			delete(r.openings, o)
		}
	}
}

// own is the address of the host, as its process knows it.
func (h *Host) own() netip.Addr {
	if h.router != nil {
		return inside
	}
	return h.Addr
}

// outside is where what a port of the host sends comes from, as others see it;
// false: its router has no room.
func (h *Host) outside(port uint16, to netip.AddrPort) (netip.AddrPort, bool) {
	if h.router == nil {
		return netip.AddrPortFrom(h.Addr, port), true
	}
	port, ok := h.router.out(h.sim.now, port, to)
	return netip.AddrPortFrom(h.Addr, port), ok
}
