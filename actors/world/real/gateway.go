package real

import (
	"context"
	"net/netip"
	"time"

	"kouzui/actors/world"
)

// Gateway asks the routers of this machine's network. It has asked nothing
// before the first call.
type Gateway struct {
	source *Source
	igd    igdCache
}

var _ world.Gateway = (*Gateway)(nil)

// NewGateway asks from source; nil: from wherever the system decides.
func NewGateway(source *Source) *Gateway { return &Gateway{source: source} }

// Map implements world.Gateway. The returned cancel waits for a call of done
// that has already begun, so done must not call cancel.
func (g *Gateway) Map(m world.PortMapping, timeout time.Duration, done func(world.Mapped, error)) (cancel func()) {
	return during(timeout, func(ctx context.Context) func() {
		mapped, err := g.mapPort(ctx, m)
		return func() { done(mapped, err) }
	})
}

// Unmap implements world.Gateway, as Map does.
func (g *Gateway) Unmap(m world.PortMapping, timeout time.Duration, done func(error)) (cancel func()) {
	return during(timeout, func(ctx context.Context) func() {
		err := g.unmapPort(ctx, m)
		return func() { done(err) }
	})
}

// during has ask do its work within timeout, and calls what that returns unless
// it was cancelled before.
func during(timeout time.Duration, ask func(context.Context) (answer func())) (cancel func()) {
	ctx, stop := context.WithCancel(context.Background())
	d := &dialing{stop: stop}
	go func() {
		defer stop()
		ctx, lapsed := context.WithTimeout(ctx, timeout)
		defer lapsed()
		d.answer(ask(ctx), func() {})
	}()
	return d.cancel
}

func (g *Gateway) mapPort(ctx context.Context, m world.PortMapping) (world.Mapped, error) {
	if m.By == world.UPnP {
		return g.mapByIGD(ctx, m)
	}
	return g.mapByPMP(ctx, m)
}

func (g *Gateway) unmapPort(ctx context.Context, m world.PortMapping) error {
	if m.By == world.UPnP {
		return g.unmapByIGD(ctx, m)
	}
	return g.unmapByPMP(ctx, m)
}

// local is the address from which a router at addr is asked: that of the
// source, or where we listen, or what the system chooses: the zero Addr.
func (g *Gateway) local(inner netip.Addr) (netip.Addr, error) {
	if inner.IsUnspecified() || !inner.Unmap().Is4() {
		inner = netip.Addr{}
	}
	if g.source == nil {
		return inner.Unmap(), nil
	}
	return g.source.addressFor(netip.AddrFrom4([4]byte{}))
}
