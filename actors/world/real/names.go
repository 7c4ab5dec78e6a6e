package real

import (
	"context"
	"net/netip"
	"time"

	"kouzui/actors/world"
)

// Names resolves names of hosts that datagrams are sent to, from the Source.
type Names struct{ Source *Source }

// Resolve implements world.Names. The returned cancel waits for a call of done
// that has already begun, so done must not call cancel.
func (n Names) Resolve(host string, timeout time.Duration, done func([]netip.Addr, error)) (cancel func()) {
	if n.Source.Proxied() {
		done(nil, world.ErrProxied)
		return func() {}
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		done([]netip.Addr{addr.Unmap()}, nil)
		return func() {}
	}
	ctx, stop := context.WithCancel(context.Background())
	d := &dialing{stop: stop}
	go func() {
		defer stop()
		ctx, lapsed := context.WithTimeout(ctx, timeout)
		defer lapsed()
		addrs, err := n.Source.Resolver().LookupNetIP(ctx, "ip", host)
		for i, addr := range addrs {
			addrs[i] = addr.Unmap()
		}
		d.answer(func() { done(addrs, err) }, func() {})
	}()
	return d.cancel
}
