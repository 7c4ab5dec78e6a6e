package fake

import (
	"time"

	"kouzui/actors/world"
)

// Gateway is a world.Gateway whose routers are the test.
type Gateway struct {
	maps   queue[*Mapping]
	unmaps queue[*Unmapping]
}

// Mapping is one call of Map.
type Mapping struct {
	world.PortMapping

	once once
	done func(world.Mapped, error)
}

// Unmapping is one call of Unmap.
type Unmapping struct {
	world.PortMapping

	once once
	done func(error)
}

// Map implements world.Gateway.
func (g *Gateway) Map(m world.PortMapping, _ time.Duration, done func(world.Mapped, error)) (cancel func()) {
	call := &Mapping{PortMapping: m, done: done}
	g.maps.put(call)
	return func() { call.once.take() }
}

// Unmap implements world.Gateway.
func (g *Gateway) Unmap(m world.PortMapping, _ time.Duration, done func(error)) (cancel func()) {
	call := &Unmapping{PortMapping: m, done: done}
	g.unmaps.put(call)
	return func() { call.once.take() }
}

// AwaitMap waits for a call of Map and takes it off the list.
func (g *Gateway) AwaitMap() *Mapping { return g.maps.next() }

// AwaitUnmap waits for a call of Unmap and takes it off the list.
func (g *Gateway) AwaitUnmap() *Unmapping { return g.unmaps.next() }

// Waiting is how many calls of Map and of Unmap the Await functions would give
// without waiting.
func (g *Gateway) Waiting() (maps, unmaps int) { return g.maps.len(), g.unmaps.len() }

// Answer answers the call; false means that it was cancelled or answered
// before.
func (m *Mapping) Answer(mapped world.Mapped, err error) bool {
	first := m.once.take()
	if first {
		m.done(mapped, err)
	}
	return first
}

// Answer answers the call, as that of a Mapping.
func (u *Unmapping) Answer(err error) bool {
	first := u.once.take()
	if first {
		u.done(err)
	}
	return first
}
