package real

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kouzui/messages"
)

func TestDialFails(t *testing.T) {
	defer goleak.VerifyNone(t)
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := addrPort(socket.Addr())
	socket.Close()
	for _, c := range []struct {
		timeout time.Duration
		want    error
		text    string
	}{
		{time.Minute, syscall.ECONNREFUSED, "connection refused"},
		{1, errTimedOut, "timed out"},
	} {
		errs := make(chan error, 1)
		newTestNetwork().Dial(addr, c.timeout, func(_ messages.Link, err error) { errs <- err })
		if err := <-errs; !errors.Is(err, c.want) || err.Error() != c.text {
			t.Errorf("%q", err)
		}
	}
}

func TestCancelledDialIsSilent(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	n := newTestNetwork()
	var cancelled atomic.Bool
	for range 50 {
		links := make(chan messages.Link, 1)
		cancel := n.Dial(addrPort(socket.Addr()), time.Minute, func(l messages.Link, err error) {
			if cancelled.Load() {
				t.Error("done after cancel")
			}
			if err == nil {
				links <- l
			}
		})
		cancel()
		cancelled.Store(true)
		goleak.VerifyNone(t)
		cancelled.Store(false)
		select {
		case l := <-links: // it was faster than cancel
			l.Close(nil)
		default:
		}
	}
}

// A connection that comes up while its dial is being cancelled is closed.
func TestDialAnswersOnceOrDiscards(t *testing.T) {
	for _, cancelled := range []bool{false, true} {
		d := &dialing{stop: func() {}}
		if cancelled {
			d.cancel()
		}
		var called, discarded bool
		d.answer(func() { called = true }, func() { discarded = true })
		if called == cancelled || discarded != cancelled {
			t.Errorf("cancelled %t: called %t, discarded %t", cancelled, called, discarded)
		}
	}
}

// A listener on one address cannot be reached at another.
func TestListensAtOneAddress(t *testing.T) {
	n := NewNetwork(NetworkOptions{})
	l, err := n.Listen("127.0.0.1:0", 0, func(messages.Link) { t.Error("somebody came in") }, func(err error) { t.Error(err) })
	must(t, err)
	defer l.Close()
	if l.Addr().Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("bound to %v", l.Addr())
	}
	failed := make(chan error)
	n.Dial(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), l.Addr().Port()), time.Minute, func(_ messages.Link, err error) { failed <- err })
	if err := <-failed; err == nil {
		t.Error("it is reached at another")
	}
}

func TestBothFamilies(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newTestNetwork()
	accepted := make(chan messages.Link, 1)
	l, err := n.Listen(":0", 100, func(l messages.Link) { accepted <- l }, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	hosts := []string{"127.0.0.1"}
	if probe, err := net.Listen("tcp", "[::1]:0"); err == nil {
		probe.Close()
		hosts = append(hosts, "::1")
	}
	for _, host := range hosts {
		host := netip.MustParseAddr(host)
		out := dialTo(t, n, netip.AddrPortFrom(host, l.Addr().Port()))
		in := <-accepted
		if in.Remote().Addr() != host || out.Remote().Addr() != host {
			t.Errorf("%v connected to %v", in.Remote(), out.Remote())
		}
		out.Close(nil)
		in.Close(nil)
	}
	if _, err := n.Listen(l.Addr().String(), 1, nil, nil); !errors.Is(err, syscall.EADDRINUSE) {
		t.Error(err)
	}
}
