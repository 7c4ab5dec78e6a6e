// Package socket owns the UDP socket of one address family, at TCP's port. It
// passes each datagram that comes on by its content, to the DHT (BEP 5) or to
// the tracker that waits for it (BEP 15), and sends what these have to send.
//
// A socket that cannot be bound does not make this actor fail: it reports
// SocketFailed and tries again. Whoever has sent what was lost meanwhile has a
// timer. Package files: route.go decides to whom a datagram goes, pace.go how
// many are taken, address.go lists the addresses to be tried.
package socket

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
)

const (
	// A bind that failed is tried again after firstRetry, then twice that, up
	// to lastRetry, less up to a quarter by chance.
	firstRetry = time.Second
	lastRetry  = time.Minute
	jitter     = 0.25

	// maxHeld bounds the messages that wait until the socket is bound for the
	// first time, which is some milliseconds after the start.
	maxHeld = 64
)

// address is that of an actor, for the core.
type address = *actor.PID

// Config is what a socket is built from.
type Config struct {
	World   *world.World
	Session *actor.PID
	DHT     *actor.PID // of the socket's family; nil: there is none
}

// New builds a socket.
func New(cfg Config) actor.Actor { return &socket{Config: cfg, route: newRoute(cfg.DHT)} }

type socket struct {
	Config
	route        *route
	pace         pace
	addr, before netip.AddrPort // where to bind, and where we were bound in this run
	failures     int            // to bind, since we last were
	nowhere      error          // why it will never be bound; nil: it may be
	rebind       supervise.Timer
	readOn       supervise.Timer
	rand         *rand.Rand
	bound        *bound                    // nil: not bound
	held         []*messages.SendDatagrams // until the first try to bind
}

// bound is a bound socket. An actor that has lost it binds another: what still
// comes of the lost one is ignored.
type bound struct{ world.PacketSocket }

// What a bound socket tells its actor.
type (
	received struct {
		on    *bound
		batch []messages.Datagram
	}
	lost struct {
		on  *bound
		err error
	}
)

// What the socket tells itself.
type (
	bindAgain   struct{} // when it is time to try again
	receiveMore struct{} // when the pace allows it
)

func (s *socket) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		s.rand = s.World.Chance.Source(c.Self().Id)
		c.Send(s.Session, &messages.SocketStarted{Socket: c.Self()})
	case *messages.BindSocket:
		if s.bound != nil {
			s.tellReady(c)
			return
		}
		s.addr = m.Addr
		if !s.before.IsValid() {
			s.before = m.Before
		}
		s.bind(c)
	case *bindAgain:
		s.bind(c)
	case *messages.QuerySocket:
		if s.bound != nil {
			c.Send(m.ReplyTo, &messages.SocketReady{Addr: s.bound.Addr()})
		}
	case *messages.SendDatagrams:
		s.send(c, m)
	case *received:
		if m.on == s.bound {
			s.pass(c, m.batch)
		}
	case *receiveMore:
		s.bound.Done()
	case *lost:
		if m.on == s.bound {
			s.release()
			s.failed(c, s.before, m.err)
		}
	case *actor.Restarting, *actor.Stopping:
		s.release()
	}
}

func (s *socket) bind(c actor.Context) {
	s.rebind.Stop()
	if s.bound != nil {
		return
	}
	var first error
	for _, addr := range candidates(s.addr, s.before, s.failures) {
		err := s.bindTo(c, addr)
		if err == nil {
			return
		}
		if first == nil {
			first = err
		}
	}
	s.failed(c, s.addr, first)
}

func (s *socket) bindTo(c actor.Context, addr netip.AddrPort) error {
	on := &bound{}
	deliver := supervise.Deliver(c)
	opened, err := s.World.Packets.Bind(addr,
		func(batch []messages.Datagram) { deliver(&received{on, batch}) },
		func(err error) { deliver(&lost{on, err}) })
	if err != nil {
		return err
	}
	on.PacketSocket = opened
	s.bound, s.before, s.failures, s.nowhere = on, opened.Addr(), 0, nil
	s.tellReady(c)
	held := s.held
	s.held = nil
	for _, m := range held {
		s.send(c, m)
	}
	return nil
}

func (s *socket) tellReady(c actor.Context) {
	ready := &messages.SocketReady{Addr: s.bound.Addr()}
	c.Send(s.Session, ready)
	if s.DHT != nil {
		c.Send(s.DHT, ready)
	}
}

func (s *socket) failed(c actor.Context, addr netip.AddrPort, err error) {
	c.Send(s.Session, &messages.SocketFailed{Addr: addr, Err: err})
	if errors.Is(err, world.ErrNoAddress) {
		s.nowhere = err // no later try would succeed
		for _, m := range s.held {
			s.send(c, m)
		}
		s.held = nil
		return
	}
	pause := min(firstRetry<<min(s.failures, 10), lastRetry)
	s.failures++
	pause -= time.Duration(jitter * s.rand.Float64() * float64(pause))
	s.rebind.SetAfter(c, s.World.Clock, pause, &bindAgain{})
}

func (s *socket) send(c actor.Context, m *messages.SendDatagrams) {
	if s.nowhere != nil {
		s.tellUnsent(c, m, s.nowhere)
		return
	}
	if s.bound == nil {
		if !s.before.IsValid() && s.failures == 0 && len(s.held) < maxHeld {
			s.held = append(s.held, m)
		}
		return
	}
	if m.From != nil && !s.route.expect(m, s.World.Clock.Now()) {
		supervise.Remark(c, "tracker_waits_for_too_many")
		return
	}
	dropped, err := s.bound.Send(m.Datagrams)
	if dropped > 0 {
		supervise.Remark(c, "datagrams_lost", event.Number("count", int64(dropped)))
	}
	if err != nil {
		s.tellUnsent(c, m, err)
	}
}

// tellUnsent tells a tracker that there will be no answer. The DHT has too many
// nodes to ask to care for one.
func (s *socket) tellUnsent(c actor.Context, m *messages.SendDatagrams, err error) {
	if m.From != nil {
		s.route.unsent(m)
		c.Send(m.From, &messages.DatagramsUnsent{Transaction: m.Transaction, Err: err})
	}
}

// pass hands a batch on.
func (s *socket) pass(c actor.Context, batch []messages.Datagram) {
	now := s.World.Clock.Now()
	unknown := 0
	for _, d := range batch {
		if to := s.route.receiver(d, now); to != nil {
			c.Send(to, &messages.DatagramReceived{Datagram: d, At: now})
		} else {
			unknown++
		}
	}
	if unknown > 0 {
		supervise.Remark(c, "datagrams_for_nobody", event.Number("count", int64(unknown)))
	}
	if pause := s.pace.take(len(batch), now); pause > 0 {
		s.readOn.SetAfter(c, s.World.Clock, pause, &receiveMore{})
	} else {
		s.bound.Done()
	}
}

func (s *socket) release() {
	s.rebind.Stop()
	s.readOn.Stop()
	if s.bound != nil {
		s.bound.Close()
		s.bound = nil
	}
}
