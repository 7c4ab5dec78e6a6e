// Package mapper has routers pass on to us what comes to the port at which
// peers dial us, by PCP, NAT-PMP and UPnP at once: takes what answers, renews
// it, and ends it with the program.
//
// A mapper that dies asks again for what it had: a router takes that for a
// renewal. Without a mapper, and without such a router, downloads go on. What
// it decides stands in ports.go.
package mapper

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
)

const (
	// mapTimeout is for the search of a router, and its answers: UPnP has two
	// seconds for the search alone.
	mapTimeout = 10 * time.Second
	// unmapTimeout is short: the end of the program waits for it.
	unmapTimeout = 2 * time.Second
)

// Config is what a mapper is built from.
type Config struct {
	World *world.World
	Refs  messages.Refs
}

// New builds a mapper.
func New(c Config) actor.Actor { return &mapper{Config: c} }

type mapper struct {
	Config
	ports ports
	timer supervise.Timer
	// Calls under way.
	asks, unmaps map[*call]bool
}

// call is one of Map or Unmap.
type call struct{ cancel func() }

// What the world, and a timer, bring the mapper.
type (
	answered struct {
		call   *call
		asked  world.PortMapping
		mapped world.Mapped
		err    error
	}
	unmapped struct{ call *call }
	askDue   struct{}
)

func (m *mapper) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		m.ports.rand, m.asks, m.unmaps = m.World.Chance.Source(c.Self().Id), map[*call]bool{}, map[*call]bool{}
		c.Send(m.Refs.Session, &messages.MapperStarted{})
	case *actor.Restarting, *actor.Stopping:
		m.timer.Stop()
		cancel(m.asks)
		cancel(m.unmaps)
		return
	case *messages.SetMapping:
		m.ports.set(msg, m.World.Clock.Now())
	case *messages.QueryUnmapped:
		m.ports.end(msg)
	case *askDue:
		m.ports.askDue(m.World.Clock.Now())
	case *answered:
		delete(m.asks, msg.call)
		m.remark(c, msg)
		m.ports.answered(msg.asked, msg.mapped, msg.err, m.World.Clock.Now())
	case *unmapped:
		delete(m.unmaps, msg.call)
		m.ports.unmapped()
	}
	m.carryOut(c)
}

// remark puts into the trace what a router has answered.
func (m *mapper) remark(c actor.Context, a *answered) {
	by := event.Text("by", a.asked.By.String())
	if a.err != nil {
		supervise.Remark(c, "not_mapped", by, event.Text("error", a.err.Error()))
		return
	}
	supervise.Remark(c, "mapped", by, event.Text("outer", a.mapped.Outer.String()))
}

// carryOut does what the core has decided.
func (m *mapper) carryOut(c actor.Context) {
	for _, e := range m.ports.take() {
		switch e := e.(type) {
		case ask:
			m.ask(c, e.PortMapping)
		case unmap:
			m.unmap(c, e.PortMapping)
		case giveUp:
			cancel(m.asks)
		case tell:
			c.Send(m.Refs.Session, e.PortMapped)
		case reply:
			e.Reply(struct{}{})
		}
	}
	m.timer.SetAt(c, m.World.Clock, m.ports.next(), &askDue{})
}

func (m *mapper) ask(c actor.Context, asked world.PortMapping) {
	under, deliver := new(call), supervise.Deliver(c)
	m.asks[under] = true
	under.cancel = m.World.Gateway.Map(asked, mapTimeout, func(mapped world.Mapped, err error) {
		deliver(&answered{under, asked, mapped, err})
	})
}

func (m *mapper) unmap(c actor.Context, asked world.PortMapping) {
	under, deliver := new(call), supervise.Deliver(c)
	m.unmaps[under] = true
	under.cancel = m.World.Gateway.Unmap(asked, unmapTimeout, func(error) { deliver(&unmapped{under}) })
}

// cancel ends calls without an answer.
func cancel(calls map[*call]bool) {
	for under := range calls {
		under.cancel()
	}
	clear(calls)
}
