package trackerserver

import (
	"net/netip"
	"slices"
	"strings"

	"kouzui/wire/announce"
)

// source is who asks. A trusted proxy says for whom it asks; each proxy on the
// way appends the address that it saw, so that the last one that is not trusted
// is the first that nobody can have made up.
func (l *Limits) source(remote netip.Addr, forwarded string) netip.Addr {
	seen := remote.Unmap().WithZone("")
	for l.trusts(seen) && forwarded != "" {
		i := strings.LastIndexByte(forwarded, ',')
		said, ok := written(forwarded[i+1:])
		if !ok {
			break
		}
		seen, forwarded = said, forwarded[:max(i, 0)]
	}
	return seen
}

// written reads an address as proxies write it: some with a port.
func written(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return a, false
		}
		a = withPort.Addr()
	}
	return a.Unmap().WithZone(""), true
}

// address is where other peers can reach the announcing peer. Only a trusted
// peer may name another address than that which it announces from: otherwise
// anybody could point a swarm at a victim.
func (l *Limits) address(r announce.Request, from netip.Addr) netip.Addr {
	from = from.Unmap().WithZone("")
	given := r.IP
	if !given.IsValid() {
		given = r.IPv6
	}
	if given.IsValid() && !given.IsUnspecified() && !given.IsMulticast() && l.trusts(from) {
		return given
	}
	return from
}

func (l *Limits) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(l.Trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}
