package world

import (
	"errors"
	"net/netip"
	"time"

	"kouzui/messages"
)

// ErrTooManyConnections: as many connections are open as the process may have.
var ErrTooManyConnections = errors.New("too many connections are open")

// Network opens connections that speak the peer wire protocol (BEP 3).
type Network interface {
	// Listen binds addr ("host:port"; port 0 for any free one) and calls accept
	// with every connection that comes in, but not with more than perSecond a
	// second: further ones wait in the kernel's queue. While as many connections
	// are open as may be, new ones are closed, and accept is called with nil.
	// failed is called at most once, when accepting has ended because of an error.
	Listen(addr string, perSecond int, accept func(messages.Link), failed func(error)) (Listener, error)

	// Dial connects to addr within timeout. done is called exactly once, unless
	// the call is cancelled first; after cancel it is not called. Dial fails with
	// ErrTooManyConnections while as many connections are open as may be.
	Dial(addr netip.AddrPort, timeout time.Duration, done func(messages.Link, error)) (cancel func())
}

// Listener is a bound socket.
type Listener interface {
	Addr() netip.AddrPort
	// Close stops accepting. When it has returned, accept is not called any more.
	Close()
}
