package fake

import (
	"net/netip"
	"time"
)

// Names is a world.Names whose name server is the test.
type Names struct {
	// Answer, if it is set before the first look-up, answers each at once.
	// Otherwise each waits until the test takes it with AwaitLookup and answers.
	// A literal address is answered without either.
	Answer func(host string) ([]netip.Addr, error)

	lookups queue[*Lookup]
}

// Lookup is one call of Resolve.
type Lookup struct {
	Host    string
	Timeout time.Duration

	once once
	done func([]netip.Addr, error)
}

// Resolve implements world.Names.
func (n *Names) Resolve(host string, timeout time.Duration, done func([]netip.Addr, error)) (cancel func()) {
	if addr, err := netip.ParseAddr(host); err == nil {
		done([]netip.Addr{addr}, nil)
		return func() {}
	}
	l := &Lookup{Host: host, Timeout: timeout, done: done}
	if n.Answer != nil {
		l.done(n.Answer(host))
		return func() {}
	}
	n.lookups.put(l)
	return func() { l.once.take() }
}

// AwaitLookup waits for a look-up and takes it off the list.
func (n *Names) AwaitLookup() *Lookup { return n.lookups.next() }

// Found answers with addresses; false means that the look-up was cancelled or
// answered before.
func (l *Lookup) Found(addrs ...netip.Addr) bool { return l.answer(addrs, nil) }

// Fail answers with err, as Found does with addresses.
func (l *Lookup) Fail(err error) bool { return l.answer(nil, err) }

func (l *Lookup) answer(addrs []netip.Addr, err error) bool {
	first := l.once.take()
	if first {
		l.done(addrs, err)
	}
	return first
}
