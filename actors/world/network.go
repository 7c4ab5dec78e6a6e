package world

import (
	"errors"
	"net/netip"
	"time"

	"kouzui/messages"
)

// ErrCrowded: as many connections are open as the process may have.
var ErrCrowded = errors.New("too many connections are open")

// Network opens connections that speak the peer wire protocol (BEP 3).
type Network interface {
	// Listen binds addr ("host:port", port 0 for any free one) and hands every
	// accepted connection to accept. It accepts at most perSecond connections a
	// second; what comes faster waits in the kernel's queue. What comes while no
	// more connections may be open is closed; then accept is called with nil.
	// failed is called at most once, when accepting ends by itself.
	Listen(addr string, perSecond int, accept func(messages.Link), failed func(error)) (Listener, error)

	// Dial connects to addr within timeout; done is called exactly once, unless
	// the call is cancelled first. After cancel nothing is called. It fails with
	// ErrCrowded while no more connections may be open.
	Dial(addr netip.AddrPort, timeout time.Duration, done func(messages.Link, error)) (cancel func())
}

// Listener is a bound socket.
type Listener interface {
	Addr() netip.AddrPort
	// Close returns when no further accept call can follow.
	Close()
}
