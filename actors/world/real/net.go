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
	errUnowned  = errors.New("no actor took the connection over")
)

// NetworkOptions says how a Network works.
type NetworkOptions struct {
	Pool *buffer.Pool // lends the blocks that payload is read into
	// Connections is how many may be open at a time, both ways, those among them
	// that are only being made; 0: no limit.
	Connections int
}

// Network opens TCP connections.
type Network struct {
	opts  NetworkOptions
	crowd crowd
}

var _ world.Network = (*Network)(nil)

// NewNetwork makes the network of the machine.
func NewNetwork(opts NetworkOptions) *Network {
	return &Network{opts: opts, crowd: crowd{most: opts.Connections}}
}

// Dial is world.Network's. The returned cancel waits for a call of done that
// has already begun, so done must not call it.
func (n *Network) Dial(addr netip.AddrPort, timeout time.Duration, done func(messages.Link, error)) (cancel func()) {
	if !n.crowd.enter(false) {
		done(nil, world.ErrCrowded)
		return func() {}
	}
	ctx, stop := context.WithCancel(context.Background())
	d := &dialing{stop: stop}
	go func() {
		defer stop()
		dialer := net.Dialer{Timeout: timeout}
		dialer.SetMultipathTCP(false)
		conn, err := dialer.DialContext(ctx, "tcp", addr.String())
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

// link is a connection that has entered the crowd, and leaves it when it is
// closed.
func (n *Network) link(conn net.Conn, remote netip.AddrPort, inbound bool) *link {
	l := newLink(conn.(*net.TCPConn), remote, inbound, n.opts.Pool)
	l.left = func() { n.crowd.leave(inbound) }
	return l
}

// dialing is one call of Dial: it is answered or cancelled, never both.
type dialing struct {
	stop context.CancelFunc

	mu        sync.Mutex
	cancelled bool
}

func (d *dialing) cancel() {
	d.stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cancelled = true
}

// answer holds the lock during the callback, so that none is under way when
// cancel has returned.
func (d *dialing) answer(call, discard func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancelled {
		discard()
		return
	}
	call()
}

// cause strips err of the addresses and system calls around it, which whoever
// reports it knows: "connection refused". System errors stay recognisable to
// errors.Is.
func cause(err error) error {
	var errno syscall.Errno
	var timeout net.Error
	switch {
	case err == io.EOF:
		return err
	case errors.Is(err, net.ErrClosed), errors.Is(err, context.Canceled):
		return errClosed
	case errors.As(err, &timeout) && timeout.Timeout():
		return errTimedOut
	case errors.As(err, &errno):
		return errno
	}
	return err
}
