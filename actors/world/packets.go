package world

import (
	"errors"
	"net/netip"
	"time"

	"kouzui/messages"
)

// ErrNoAddress: this machine, or what everything is bound to, has no address of
// a family.
var ErrNoAddress = errors.New("there is no address of the family")

// ErrProxied is an ErrNoAddress: all leaves through a proxy, through which no
// datagram goes.
var ErrProxied error = proxiedError{}

type proxiedError struct{}

func (proxiedError) Error() string { return "datagrams (UDP) do not go through the proxy" }

// Is implements errors.Is.
func (proxiedError) Is(target error) bool { return target == ErrNoAddress }

// Packets opens UDP sockets.
type Packets interface {
	// Bind binds addr, port 0 for any free one; an IPv6 socket takes no IPv4.
	// receive is called with what has come, in batches, from one goroutine at a
	// time; it owns the batch. failed is called at most once, when receiving has
	// ended because of an error that will not go away. Bind fails with
	// ErrNoAddress if a later try would fail as well.
	Bind(addr netip.AddrPort, receive func([]messages.Datagram), failed func(error)) (PacketSocket, error)
}

// PacketSocket is a bound UDP socket.
type PacketSocket interface {
	Addr() netip.AddrPort
	// Send sends a batch in its order and never blocks: what the system has no
	// room for is dropped, as the network might drop it. Neighbours with the same
	// address and length may go out in one call. The data is not kept. lost is how
	// many were dropped here. The error is why the system does not send one of
	// them, such as that its network is unreachable: nil if it merely had no room.
	Send(batch []messages.Datagram) (lost int, err error)
	// Done gives a batch that was received back: one more may come. A socket
	// receives only a few batches ahead of Done, which bounds what a flood can
	// put into a mailbox. What comes meanwhile waits in the system, which drops
	// what it has no room for.
	Done()
	// Close closes the socket. When it has returned, receive is not called any
	// more.
	Close()
}

// Names resolves names of hosts.
type Names interface {
	// Resolve looks up the addresses of host within timeout, and calls done once,
	// unless the call is cancelled before. A literal address needs no lookup. It
	// fails with ErrProxied if no datagram can be sent anyway.
	Resolve(host string, timeout time.Duration, done func([]netip.Addr, error)) (cancel func())
}
