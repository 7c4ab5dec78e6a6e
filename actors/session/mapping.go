package session

import (
	"net/netip"
	"slices"

	"kouzui/messages"
)

// mapping is the session's side of the port that a router passes on to us.
type mapping struct {
	wanted messages.SetMapping // as the mapper was told last
	got    messages.PortMapped // as it has told last
	over   bool                // the program ends: nothing is mapped any more
}

// wantedMapping is where we listen, once that is known, and while a torrent
// runs of which others than this machine can hear. From loopback no router
// could pass anything on, and of IPv6 addresses none is translated.
func (r *registry) wantedMapping() (m messages.SetMapping) {
	at := r.addr.Addr()
	switch {
	case r.mapping.over || !at.IsValid() || at.IsLoopback() || at.Unmap().Is6() && !at.IsUnspecified():
		return m
	case !slices.ContainsFunc(r.inOrder(), func(t *run) bool { return t.Add.Abroad }):
		return m
	}
	m.Inner, m.Outer = r.addr, r.addr.Port()
	if r.mapping.got.Inner == m.Inner && r.mapping.got.Outer.Port() != 0 {
		m.Outer = r.mapping.got.Outer.Port()
	}
	return m
}

// mapPort tells the mapper what is to be mapped, if that has changed.
func (r *registry) mapPort() {
	if m := r.wantedMapping(); r.refs.Mapper != nil && m.Inner != r.mapping.wanted.Inner {
		r.tellMapper(m)
	}
}

// tellMapper tells a mapper that may just have started.
func (r *registry) tellMapper(m messages.SetMapping) {
	r.mapping.wanted = m
	r.out.Send(r.refs.Mapper, &m)
}

// portMapped takes what a router maps. Its address counts as one vote.
func (r *registry) portMapped(m *messages.PortMapped) {
	before := r.port()
	r.mapping.got = *m
	if outer := m.Outer.Addr(); outer.IsValid() && r.election.host(netip.AddrPortFrom(m.Router, 0), outer) {
		r.addressChanged(outer)
	}
	if port := r.port(); port != before {
		r.tellTorrents(&messages.SetListenPort{Port: port})
	}
}

// port is where others can dial us: that of the router, if it is the last one
// before the public network, or ours.
func (r *registry) port() uint16 {
	got := r.mapping.got
	if got.Inner != r.addr || got.Outer.Port() == 0 || got.Outer.Addr().IsValid() && isBehindAnother(got.Outer.Addr()) {
		return r.addr.Port()
	}
	return got.Outer.Port()
}

// shared are the addresses that providers give to routers behind one of their
// own (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// isBehindAnother tells whether a router with this outer address has another
// before it, so that its ports are not those of the public network.
func isBehindAnother(outer netip.Addr) bool { return messages.IsLocal(outer) || shared.Contains(outer) }

// endMapping has everything unmapped, as the program ends.
func (r *registry) endMapping(m *messages.QueryUnmapped) {
	if r.refs.Mapper == nil {
		m.Reply(struct{}{})
		return
	}
	r.mapping.over = true
	r.out.Send(r.refs.Mapper, m)
}
