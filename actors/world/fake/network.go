package fake

import (
	"net/netip"
	"sync/atomic"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
)

// Network is a world.Network whose other hosts are the test.
type Network struct {
	// Answer, if it is set before the first dial, answers each at once. Otherwise
	// each dial waits until the test takes it with AwaitDial and answers it.
	Answer func(addr netip.AddrPort) (messages.Link, error)
	// ListenError, if it is set, is called for each Listen; an error that it
	// returns is the result.
	ListenError func(addr string) error

	clock     world.Clock
	dials     queue[*Dial]
	listeners queue[*Listener]
}

// NewNetwork returns a network whose links date their messages by clock.
func NewNetwork(clock world.Clock) *Network { return &Network{clock: clock} }

// Dial is one attempt to connect.
type Dial struct {
	Addr    netip.AddrPort
	Timeout time.Duration

	network *Network
	once    once
	done    func(messages.Link, error)
}

// Dial implements world.Network.
func (n *Network) Dial(addr netip.AddrPort, timeout time.Duration, done func(messages.Link, error)) (cancel func()) {
	d := &Dial{Addr: addr, Timeout: timeout, network: n, done: done}
	n.dials.put(d)
	if n.Answer != nil {
		d.answer(n.Answer(addr))
	}
	return func() { d.once.take() }
}

// AwaitDial waits for a dial and takes it off the list.
func (n *Network) AwaitDial() *Dial { return n.dials.next() }

// WaitingDials is how many dials AwaitDial would give without waiting.
func (n *Network) WaitingDials() int { return n.dials.len() }

// Connect answers the dial with a link; nil means that the dial was cancelled
// or answered before.
func (d *Dial) Connect() *Link {
	l := d.network.NewLink(d.Addr, false)
	if !d.answer(l, nil) {
		return nil
	}
	return l
}

// Fail answers the dial with err; false means that it was cancelled or answered
// before.
func (d *Dial) Fail(err error) bool { return d.answer(nil, err) }

func (d *Dial) answer(l messages.Link, err error) bool {
	first := d.once.take()
	if first {
		d.done(l, err)
	}
	return first
}

// Listener is one bound address.
type Listener struct {
	Asked     string // as given to Listen
	PerSecond int

	network *Network
	addr    netip.AddrPort
	accept  func(messages.Link)
	failed  func(error)
	closed  atomic.Bool
}

// Listen implements world.Network. If addr has no port, or a host that is not
// known, the listener has the address 127.0.0.1:6881.
func (n *Network) Listen(addr string, perSecond int, accept func(messages.Link), failed func(error)) (world.Listener, error) {
	if n.ListenError != nil {
		if err := n.ListenError(addr); err != nil {
			return nil, err
		}
	}
	l := newListener(addr, failed)
	l.PerSecond, l.network, l.accept = perSecond, n, accept
	n.listeners.put(l)
	return l, nil
}

func newListener(addr string, failed func(error)) *Listener {
	bound, err := netip.ParseAddrPort(addr)
	if err != nil || bound.Port() == 0 {
		bound = netip.MustParseAddrPort("127.0.0.1:6881")
	}
	return &Listener{Asked: addr, addr: bound, failed: failed}
}

// AwaitListener waits for a Listen and takes it off the list.
func (n *Network) AwaitListener() *Listener { return n.listeners.next() }

// Addr implements world.Listener.
func (l *Listener) Addr() netip.AddrPort { return l.addr }

// Close implements world.Listener.
func (l *Listener) Close() { l.closed.Store(true) }

// Closed tells whether Close was called.
func (l *Listener) Closed() bool { return l.closed.Load() }

// Accept hands the actor a connection from remote; nil if the listener is
// closed.
func (l *Listener) Accept(remote netip.AddrPort) *Link {
	if l.Closed() {
		return nil
	}
	link := l.network.NewLink(remote, true)
	l.accept(link)
	return link
}

// TurnAway tells the actor that a connection was closed because as many are
// open as may be.
func (l *Listener) TurnAway() { l.accept(nil) }

// Fail reports to the actor that accepting has ended with an error.
func (l *Listener) Fail(err error) {
	if !l.closed.Swap(true) {
		l.failed(err)
	}
}
