package real

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
)

// Connections are counted together, whoever makes them, and a part of them is
// kept for those that we make.
func TestConnectionsAreBounded(t *testing.T) {
	defer goleak.VerifyNone(t)
	const most, in = 5, 4
	n := NewNetwork(NetworkOptions{Pool: buffer.NewPool(0), Connections: most})
	came := make(chan messages.Link, 10)
	l, err := n.Listen("127.0.0.1:0", 0, func(l messages.Link) { came <- l }, func(err error) { t.Error(err) })
	must(t, err)
	defer l.Close()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer other.Close()
	knock := func() messages.Link {
		conn, err := net.Dial("tcp", l.Addr().String())
		must(t, err)
		t.Cleanup(func() { conn.Close() })
		return <-came
	}
	dial := func(to netip.AddrPort) (messages.Link, error) {
		links, errs := make(chan messages.Link, 1), make(chan error, 1)
		n.Dial(to, time.Minute, func(l messages.Link, err error) { links <- l; errs <- err })
		return <-links, <-errs
	}

	var links []messages.Link
	for i := range in + 2 {
		link := knock()
		if (link != nil) != (i < in) {
			t.Fatalf("connection %d that comes in: %v", i, link)
		}
		if link != nil {
			links = append(links, link)
		}
	}
	ours, err := dial(addrPort(other.Addr()))
	must(t, err)
	if _, err := dial(addrPort(other.Addr())); !errors.Is(err, world.ErrTooManyConnections) {
		t.Errorf("a dial too many: %v", err)
	}
	links[0].Close(nil)
	links[0].Close(nil)
	links[0] = knock()
	if links[0] == nil || knock() != nil {
		t.Error("the end of one does not make room for just one")
	}

	for _, link := range append(links, ours) {
		link.Close(nil)
	}
	other.Close()
	for range 2 * most { // dials that fail, and that are cancelled, take nobody's room
		if _, err := dial(addrPort(other.Addr())); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatal(err)
		}
		n.Dial(addrPort(other.Addr()), time.Minute, func(messages.Link, error) {})()
	}
	l.Close()
	goleak.VerifyNone(t)
	n.crowd.mu.Lock()
	defer n.crowd.mu.Unlock()
	if n.crowd.open != 0 || n.crowd.in != 0 {
		t.Errorf("%d connections are still counted, %d that came in", n.crowd.open, n.crowd.in)
	}
}
