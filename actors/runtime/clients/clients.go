// Package clients bounds the connections of an HTTP server, so that no address
// can keep the others out.
//
// A connection waits until its handler calls Serve, and again when the answer
// is done. When there is no room for a new connection, that one is closed which
// has waited longest, of the host that has the most connections. Connections
// that are being served are left alone; if all are, the new one waits.
package clients

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"kouzui/messages"
)

// Bound returns the listener for a server that may have this many connections.
// It sets the server's ConnContext.
func Bound(s *http.Server, l net.Listener, most int) net.Listener {
	b := &bounded{Listener: l, most: most, open: map[*client]bool{}}
	b.changed.L = &b.mu
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, theClient{}, c)
	}
	return b
}

type theClient struct{}

// Serve says that the request whose context this is deserves an answer. The
// handler calls done when the answer has been made; a handler on whose
// connection nothing else will be served need not.
func Serve(ctx context.Context) (done func()) {
	c, is := ctx.Value(theClient{}).(*client)
	if !is {
		return func() {}
	}
	c.in.set(c, true)
	return func() { c.in.set(c, false) }
}

type bounded struct {
	net.Listener
	most int

	mu      sync.Mutex
	changed sync.Cond
	open    map[*client]bool
	last    int // number of the last change of a client
	closed  bool
}

type client struct {
	net.Conn
	in     *bounded
	host   netip.Addr // of messages.HostOf
	since  int        // when it began to wait, in numbers of changes
	served bool
}

func (b *bounded) Accept() (net.Conn, error) {
	conn, err := b.Listener.Accept()
	if err != nil {
		return nil, err
	}
	remote, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	c := &client{Conn: conn, in: b, host: messages.HostOf(remote.Addr())}
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.open) >= b.most && !b.closed {
		if oldest := b.oldest(); oldest != nil {
			delete(b.open, oldest)
			oldest.Conn.Close()
		} else {
			b.changed.Wait()
		}
	}
	if b.closed { // while conn waited; the server would still answer it
		conn.Close()
		return nil, net.ErrClosed
	}
	b.last++
	c.since = b.last
	b.open[c] = true
	return c, nil
}

// oldest is the connection that makes room, nil if all are being served. The
// caller holds b.mu.
func (b *bounded) oldest() (oldest *client) {
	of := map[netip.Addr]int{}
	for c := range b.open {
		of[c.host]++
	}
	for c := range b.open {
		if c.served {
			continue
		}
		if oldest == nil || of[c.host] > of[oldest.host] || of[c.host] == of[oldest.host] && c.since < oldest.since {
			oldest = c
		}
	}
	return oldest
}

func (b *bounded) set(c *client, served bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	c.served, c.since = served, b.last
	b.changed.Signal()
}

// Close implements net.Listener.
func (b *bounded) Close() error {
	b.mu.Lock()
	b.closed = true
	b.changed.Signal()
	b.mu.Unlock()
	return b.Listener.Close()
}

// Close implements net.Conn.
func (c *client) Close() error {
	c.in.mu.Lock()
	delete(c.in.open, c)
	c.in.changed.Signal()
	c.in.mu.Unlock()
	return c.Conn.Close()
}
