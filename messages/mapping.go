package messages

import "net/netip"

// The conversation about ports of the router between us and the public network,
// which it passes on to us.

// MapperStarted: mapper to session, each time it has started. The session
// answers SetMapping.
type MapperStarted struct{}

// SetMapping: session to mapper, in answer to MapperStarted, and when something
// of it changes. The mapper asks routers to pass the port Outer on to Inner,
// for TCP and UDP, and has what it had mapped for another Inner unmapped. Inner
// is zero while nothing is to be mapped.
type SetMapping struct {
	Inner netip.AddrPort
	Outer uint16 // wished: that of before, or that of Inner
}

// PortMapped: mapper to session, when a router has mapped the port, when the
// mapping has changed, and when there is none any more: then Outer is zero.
// Outer has no address if the router has not told its own; else the session
// counts that as the vote of the router.
type PortMapped struct {
	Inner, Outer netip.AddrPort
	Router       netip.Addr
}

// QueryUnmapped: a question to session, and from session to mapper, when the
// program is about to end. The mapper has all ports unmapped, maps none any
// more, and answers through Reply when routers have answered, or too late.
type QueryUnmapped struct{ Reply func(struct{}) }
