package world

import (
	"errors"
	"net/netip"
	"time"
)

// Gateway has routers between this machine and the public network pass on to us
// what comes to a port of theirs. Calls answer through done, exactly once and
// within timeout, unless they are cancelled before.
type Gateway interface {
	// Map asks for a mapping, for TCP and UDP alike, or has it last longer.
	Map(m PortMapping, timeout time.Duration, done func(Mapped, error)) (cancel func())
	// Unmap ends a mapping.
	Unmap(m PortMapping, timeout time.Duration, done func(error)) (cancel func())
}

// MappingProtocol is how a router is asked.
type MappingProtocol uint8

// The ways to ask a router.
const (
	PCP MappingProtocol = iota
	NATPMP
	UPnP
	MappingProtocols int = iota // how many there are
)

func (p MappingProtocol) String() string { return [...]string{"PCP", "NAT-PMP", "UPnP"}[p] }

// PortMapping is what a router is asked for.
type PortMapping struct {
	By MappingProtocol
	// Inner is where we listen. If it is no address of one host, it is that from
	// which the router is reached.
	Inner netip.AddrPort
	Outer uint16        // port of the router that is wished
	Lease time.Duration // how long it is to last; 0: for ever
	Nonce [12]byte      // drawn once for a mapping: proves that it is ours (PCP)
}

// Mapped is what a router has answered.
type Mapped struct {
	// Outer is where what comes is passed on to us. Its address is the zero Addr
	// if the router does not tell its own.
	Outer  netip.AddrPort
	Router netip.Addr
	Lease  time.Duration // 0: for ever
}

// ErrOnlyPermanent: the router maps for ever only (error 725 of UPnP).
var ErrOnlyPermanent = errors.New("the router maps for ever only")
