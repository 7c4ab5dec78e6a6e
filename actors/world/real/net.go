package real

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
)

var (
	errTimedOut = errors.New("timed out")
	errClosed   = errors.New("closed")
	errSilent   = errors.New("the peer sends nothing")
	errUnread   = errors.New("the peer does not read what it is sent")
	errUnowned  = errors.New("no actor took the connection over")
)

// NetworkOptions says how a Network works.
type NetworkOptions struct {
	Pool *buffer.Pool // lends the blocks that payload is read into
	// Connections is how many may be open at a time, in both directions, including
	// those that are being dialled; 0: no limit.
	Connections int
	Source      *Source // where connections leave from; nil: anywhere
}

// Network opens TCP connections.
type Network struct {
	opts  NetworkOptions
	crowd crowd
	costs wayCosts
}

var _ world.Network = (*Network)(nil)

// NewNetwork makes the network of the machine.
func NewNetwork(opts NetworkOptions) *Network {
	return &Network{opts: opts, crowd: crowd{most: opts.Connections}}
}

// Dial implements world.Network. The returned cancel waits for a call of done
// that has already begun, so done must not call cancel.
func (n *Network) Dial(addr netip.AddrPort, timeout time.Duration, done func(messages.Link, error)) (cancel func()) {
	if !n.crowd.enter(false) {
		done(nil, world.ErrTooManyConnections)
		return func() {}
	}
	ctx, stop := context.WithCancel(context.Background())
	d := &dialing{stop: stop}
	go func() {
		defer stop()
		ctx, lapsed := context.WithTimeout(ctx, timeout)
		defer lapsed()
		conn, err := n.opts.Source.dial(ctx, "tcp", addr.String(), nil)
		d.answer(func() {
			if err != nil {
				n.crowd.leave(false)
				done(nil, cause(err))
			} else {
				done(n.link(conn, addr, false), nil)
			}
		}, func() {
			if err == nil {
				_ = conn.Close()
			}
			n.crowd.leave(false)
		})
	}()
	return d.cancel
}

// link wraps a connection that was counted by crowd.enter; when the link is
// closed it is counted no more.
func (n *Network) link(conn net.Conn, remote netip.AddrPort, inbound bool) *link {
	l := newLink(conn.(*net.TCPConn), remote, inbound, n.opts.Pool)
	l.left = func() { n.crowd.leave(inbound) }
	l.costs = &n.costs
	return l
}

// dialing is one call of Dial, which is either answered or cancelled.
type dialing struct {
	stop context.CancelFunc

	mu        sync.Mutex
	cancelled bool
}

// cancel first takes the callback away and then stops: a dial that ended
// because it was stopped would else be told as failed.
func (d *dialing) cancel() {
	d.mu.Lock()
	d.cancelled = true
	d.mu.Unlock()
	d.stop()
}

// answer runs call, or discard if the dial was cancelled. It holds the lock
// meanwhile, so that no callback runs when cancel has returned.
func (d *dialing) answer(call, discard func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancelled {
		discard()
		return
	}
	call()
}

// cause removes the addresses and the names of system calls around an error,
// such as in "connection refused": whoever reports it knows them. errors.Is
// still finds the error of the system.
func cause(err error) error {
	if err == nil {
		return nil // without the memory that the following takes
	}
	var errno syscall.Errno
	var timeout net.Error
	var proxy *ProxyError
	switch {
	case err == io.EOF:
		return err
	case errors.Is(err, net.ErrClosed), errors.Is(err, context.Canceled):
		return errClosed
	case errors.As(err, &proxy):
		return proxy
	case errors.As(err, &timeout) && timeout.Timeout():
		return errTimedOut
	case errors.As(err, &errno):
		return errno
	}
	return err
}
