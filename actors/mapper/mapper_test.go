package mapper

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/messages"
)

var (
	inner      = netip.MustParseAddrPort("0.0.0.0:6881")
	another    = netip.MustParseAddrPort("0.0.0.0:6882")
	outer      = netip.MustParseAddrPort("203.0.113.9:7001")
	router     = netip.MustParseAddr("192.168.1.1")
	errRefused = errors.New("refused")
)

type scene struct {
	*stage.Stage
	t       *testing.T
	session *stage.Probe
}

func perform(t *testing.T) *scene {
	s := &scene{Stage: stage.New(t), t: t}
	s.session = s.StartProbe("session")
	s.Perform(func() actor.Actor {
		return New(Config{World: s.World.World(), Refs: messages.Refs{Session: s.session.PID}})
	})
	stage.Next[*messages.MapperStarted](s.session)
	return s
}

// asked takes the calls of Map that wait, which are of as many protocols, by
// these.
func (s *scene) asked(n int) map[world.MappingProtocol]*fake.Mapping {
	s.t.Helper()
	s.Settle()
	if maps, unmaps := s.World.Gateway.Waiting(); maps != n || unmaps != 0 {
		s.t.Fatalf("%d calls of Map and %d of Unmap, want %d and none", maps, unmaps, n)
	}
	calls := map[world.MappingProtocol]*fake.Mapping{}
	for range n {
		call := s.World.Gateway.AwaitMap()
		calls[call.By] = call
	}
	if len(calls) != n {
		s.t.Fatalf("a protocol was used twice: %v", calls)
	}
	return calls
}

// begin has the port mapped by one protocol, for a time.
func (s *scene) begin(by world.MappingProtocol, lease time.Duration) {
	s.t.Helper()
	s.Tell(&messages.SetMapping{Inner: inner, Outer: 6881})
	for protocol, call := range s.asked(world.MappingProtocols) {
		if protocol == by {
			call.Answer(world.Mapped{Outer: outer, Router: router, Lease: lease}, nil)
		} else {
			call.Answer(world.Mapped{}, errRefused)
		}
	}
	s.told(outer)
}

func (s *scene) told(at netip.AddrPort) {
	s.t.Helper()
	if m := stage.Next[*messages.PortMapped](s.session); m.Outer != at {
		s.t.Errorf("told %+v, want %v", m, at)
	}
}

// TestAllProtocolsAreAskedAtOnce: the first that answers is told, and others
// that answer are kept for when it lapses.
func TestAllProtocolsAreAskedAtOnce(t *testing.T) {
	s := perform(t)
	s.Tell(&messages.SetMapping{Inner: inner, Outer: 6881})
	calls := s.asked(world.MappingProtocols)
	for by, call := range calls {
		if call.Inner != inner || call.Outer != 6881 || call.Lease != time.Hour || call.Nonce == [12]byte{} {
			t.Errorf("%v: asked for %+v", by, call.PortMapping)
		}
	}
	later := netip.AddrPortFrom(outer.Addr(), 7002)
	calls[world.UPnP].Answer(world.Mapped{Outer: outer, Router: router, Lease: time.Hour}, nil)
	s.told(outer)
	s.World.Clock.Advance(time.Second)
	calls[world.PCP].Answer(world.Mapped{Outer: later, Router: router, Lease: 2 * time.Hour}, nil)
	calls[world.NATPMP].Answer(world.Mapped{}, errRefused)
	s.Quiet(s.session)

	// The router forgets UPnP.
	for advanced := time.Duration(0); advanced < time.Hour; advanced += time.Minute {
		s.World.Clock.Advance(time.Minute)
		s.Settle()
		for maps, _ := s.World.Gateway.Waiting(); maps > 0; maps-- {
			call := s.World.Gateway.AwaitMap()
			if call.By == world.PCP {
				call.Answer(world.Mapped{Outer: later, Router: router, Lease: 2 * time.Hour}, nil)
			} else {
				call.Answer(world.Mapped{}, errRefused)
			}
		}
		s.Settle()
	}
	s.told(later)
}

func TestLeasesAreRenewedAtHalf(t *testing.T) {
	for name, c := range map[string]struct{ lease, renewal time.Duration }{
		"as asked": {time.Hour, 30 * time.Minute},
		"less":     {20 * time.Minute, 10 * time.Minute},
		"nothing":  {time.Second, time.Minute},
		"for ever": {0, 30 * time.Minute},
		"too much": {100 * time.Hour, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			var p ports
			p.rand = fake.Chance(1).Source("mapper")
			now := time.Unix(1_000_000, 0)
			p.set(&messages.SetMapping{Inner: inner, Outer: 6881}, now)
			p.answered(p.request(world.UPnP), world.Mapped{Outer: outer, Lease: c.lease}, nil, now)
			if got := p.ways[world.UPnP].due.Sub(now); got != c.renewal {
				t.Errorf("renewed after %v, want %v", got, c.renewal)
			}
			if m := p.request(world.UPnP); m.Outer != outer.Port() {
				t.Errorf("asked for port %d, not that of before", m.Outer)
			}
		})
	}
}

// TestPausesGrow: who does not answer is asked less and less.
func TestPausesGrow(t *testing.T) {
	s := perform(t)
	s.Tell(&messages.SetMapping{Inner: inner, Outer: 6881})
	pause := time.Minute
	for range 9 {
		for _, call := range s.asked(world.MappingProtocols) {
			call.Answer(world.Mapped{}, errRefused)
		}
		s.Settle()
		s.World.Clock.Advance(pause - time.Second)
		s.asked(0)
		s.World.Clock.Advance(time.Second)
		pause = min(2*pause, time.Hour)
	}
	s.asked(world.MappingProtocols)
	s.Quiet(s.session)
}

// TestARouterThatMapsForEverIsAskedSo: at once, and from then on.
func TestARouterThatMapsForEverIsAskedSo(t *testing.T) {
	s := perform(t)
	s.Tell(&messages.SetMapping{Inner: inner, Outer: 6881})
	s.asked(world.MappingProtocols)[world.UPnP].Answer(world.Mapped{}, world.ErrOnlyPermanent)
	call := s.asked(1)[world.UPnP]
	if call == nil || call.Lease != 0 {
		t.Fatalf("asked for %+v", call)
	}
	call.Answer(world.Mapped{Outer: outer, Router: router}, nil)
	s.told(outer)
	s.World.Clock.Advance(30 * time.Minute)
	if call := s.asked(1)[world.UPnP]; call == nil || call.Lease != 0 || !call.Answer(world.Mapped{}, world.ErrOnlyPermanent) {
		t.Errorf("renewed by %+v", call)
	}
	s.asked(0) // a router that says so always is not asked in a circle
}

// TestAnotherPort: what was mapped is unmapped, and so is what a router answers
// late.
func TestAnotherPort(t *testing.T) {
	s := perform(t)
	s.begin(world.NATPMP, time.Hour)
	s.World.Clock.Advance(time.Minute)
	late := s.asked(2)[world.PCP]
	s.Tell(&messages.SetMapping{Inner: another, Outer: 6882})
	s.told(netip.AddrPort{})
	if m := s.World.Gateway.AwaitUnmap(); m.By != world.NATPMP || m.Inner != inner || m.Outer != outer.Port() || !m.Answer(nil) {
		t.Errorf("unmapped: %+v", m.PortMapping)
	}
	for _, call := range s.asked(world.MappingProtocols) {
		if call.Inner != another || call.Outer != 6882 {
			t.Errorf("asked for %+v", call.PortMapping)
		}
	}
	late.Answer(world.Mapped{Outer: outer, Lease: time.Hour}, nil)
	if m := s.World.Gateway.AwaitUnmap(); m.By != world.PCP || m.Inner != inner || m.Outer != outer.Port() || m.Nonce != late.Nonce {
		t.Errorf("unmapped: %+v", m.PortMapping)
	}
	s.Quiet(s.session)
}

// TestASessionThatHasStartedIsTold: it asks for what there is already.
func TestASessionThatHasStartedIsTold(t *testing.T) {
	s := perform(t)
	s.begin(world.PCP, time.Hour)
	s.Tell(&messages.SetMapping{Inner: inner, Outer: 7001})
	s.told(outer)
	s.asked(0)
}

// TestAtTheEndEverythingIsUnmapped: the answer waits for the routers, and
// nothing is asked any more.
func TestAtTheEndEverythingIsUnmapped(t *testing.T) {
	s := perform(t)
	s.begin(world.UPnP, time.Hour)
	answers := make(chan struct{}, 2)
	s.Tell(&messages.QueryUnmapped{Reply: func(struct{}) { answers <- struct{}{} }})
	m := s.World.Gateway.AwaitUnmap()
	s.Tell(&messages.QueryUnmapped{Reply: func(struct{}) { answers <- struct{}{} }})
	s.Settle()
	if len(answers) > 0 {
		t.Error("answered before the router has")
	}
	if m.By != world.UPnP || m.Outer != outer.Port() || !m.Answer(errRefused) {
		t.Errorf("unmapped: %+v", m.PortMapping)
	}
	<-answers
	<-answers
	s.Tell(&messages.SetMapping{Inner: another})
	s.World.Clock.Advance(2 * time.Hour)
	s.asked(0)
}

func TestTheEndWaitsForNoAnswerToMap(t *testing.T) {
	s := perform(t)
	s.Tell(&messages.SetMapping{Inner: inner, Outer: 6881})
	calls := s.asked(world.MappingProtocols)
	answered := make(chan struct{})
	s.Tell(&messages.QueryUnmapped{Reply: func(struct{}) { close(answered) }})
	<-answered
	for by, call := range calls {
		if call.Answer(world.Mapped{}, nil) {
			t.Errorf("%v is still asked", by)
		}
	}
}

// TestAMapperThatDiesAsksAgain: nothing of the incarnation before is under way.
func TestAMapperThatDiesAsksAgain(t *testing.T) {
	s := perform(t)
	s.Tell(&messages.SetMapping{Inner: inner, Outer: 6881})
	calls := s.asked(world.MappingProtocols)
	s.Crash()
	for by, call := range calls {
		if call.Answer(world.Mapped{}, nil) {
			t.Errorf("%v: the call of the incarnation before is under way", by)
		}
	}
	stage.Next[*messages.MapperStarted](s.session)
	s.begin(world.PCP, time.Hour)
}
