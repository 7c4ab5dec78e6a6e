// Package stage is for tests of one actor: it sets up a fake world, a
// supervision tree, and probes in the place of all other actors.
//
// What a probe is sent waits in it until the test asks. Nothing here has a time
// limit: a test whose message never comes is ended by go test's timeout.
package stage

import (
	"context"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world/fake"
)

// Stage is the surroundings of one actor. Only the goroutine of the test may
// call its methods.
type Stage struct {
	*Probe // the parent of the tested actor
	World  *fake.World
	Tree   *supervise.Tree
	Actor  *actor.PID // the tested actor

	t      *testing.T
	probes []*Probe
}

// New returns an empty stage. When the test ends, everything on it is stopped;
// a timer or a goroutine that is left then fails the test.
func New(t *testing.T) *Stage {
	w := fake.New(1)
	s := &Stage{t: t, World: w}
	s.Tree = supervise.New(supervise.Config{System: supervise.NewSystem(zerolog.Nop()), Clock: w.Clock, Chance: w.Chance})
	t.Cleanup(func() {
		var roots []*actor.PID
		for _, p := range s.probes {
			roots = append(roots, p.PID)
		}
		if err := s.Tree.Shutdown(context.Background(), roots...); err != nil {
			t.Error(err)
		}
		if n := w.Clock.Pending(); n > 0 {
			t.Errorf("%d timers are left", n)
		}
		goleak.VerifyNone(t)
	})
	return s
}

// Probe is an actor that keeps what it is sent.
type Probe struct {
	PID   *actor.PID
	t     *testing.T
	inbox chan any
	child *actor.Props
	born  chan *actor.PID
}

func (p *Probe) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		if p.child != nil {
			p.born <- c.Spawn(p.child)
		}
	case actor.SystemMessage, actor.AutoReceiveMessage, *actor.Touch:
	default:
		p.inbox <- m
	}
}

// StartProbe starts a probe.
func (s *Stage) StartProbe(name string) *Probe { return s.spawn(name, nil) }

// Perform starts the tested actor, under a probe that restarts it at once when
// it fails.
func (s *Stage) Perform(producer actor.Producer) {
	s.Probe = s.spawn("parent", s.Tree.Props("performer", producer))
	s.Actor = <-s.born
}

func (s *Stage) spawn(name string, child *actor.Props) *Probe {
	p := &Probe{t: s.t, inbox: make(chan any, 10_000), child: child, born: make(chan *actor.PID, 1)}
	atOnce := supervise.WithStrategy(supervise.Backoff{Base: -1})
	pid, err := s.Tree.Spawn(name, s.Tree.Props("probe", func() actor.Actor { return p }, atOnce), supervise.Always(event.ActionStop))
	if err != nil {
		s.t.Fatal(err)
	}
	p.PID = pid
	s.probes = append(s.probes, p)
	return p
}

// Tell sends to the tested actor.
func (s *Stage) Tell(m any) { s.Tree.System.Root.Send(s.Actor, m) }

// Settle waits until the tested actor has handled everything that was sent
// before, and the probes everything that it sent.
func (s *Stage) Settle() {
	s.t.Helper()
	s.touch(s.Actor)
	for _, p := range s.probes {
		s.touch(p.PID)
	}
}

func (s *Stage) touch(pid *actor.PID) {
	s.t.Helper()
	if _, err := s.Tree.System.Root.RequestFuture(pid, &actor.Touch{}, -1).Result(); err != nil {
		s.t.Fatal(err)
	}
}

// Crash makes the tested actor panic, and waits for its next incarnation.
func (s *Stage) Crash() {
	s.t.Helper()
	if err := s.Tree.Kill(s.Actor.Id, "on purpose"); err != nil {
		s.t.Fatal(err)
	}
	s.Settle()
}

// Stop stops a probe. If the tested actor watches it, Stop waits until the
// actor knows.
func (s *Stage) Stop(p *Probe) {
	s.t.Helper()
	for i, other := range s.probes {
		if other == p {
			s.probes = append(s.probes[:i:i], s.probes[i+1:]...)
		}
	}
	if err := s.Tree.System.Root.StopFuture(p.PID).Wait(); err != nil {
		s.t.Fatal(err)
	}
	// The first time the Terminated arrives; the second time the actor handles it,
	// behind the messages that waited: see how package supervise orders
	// Terminated.
	s.Settle()
	s.Settle()
}

// Quiet checks that the probes have got no further messages.
func (s *Stage) Quiet(probes ...*Probe) {
	s.t.Helper()
	s.Settle()
	for _, p := range probes {
		select {
		case m := <-p.inbox:
			s.t.Fatalf("%s got %T %+v", p.PID.Id, m, m)
		default:
		}
	}
}

// Next returns the next message of a probe, which must be a T.
func Next[T any](p *Probe) T {
	p.t.Helper()
	m := <-p.inbox
	want, ok := m.(T)
	if !ok {
		p.t.Fatalf("%s got %T %+v, want %T", p.PID.Id, m, m, want)
	}
	return want
}

// Await returns the next T of a probe, and drops the messages before it.
func Await[T any](p *Probe) T {
	for {
		if want, ok := (<-p.inbox).(T); ok {
			return want
		}
	}
}

// Relay makes the props of an actor that passes on to a probe all that it is
// sent. It takes the place of a child whose supervisor is tested.
func (s *Stage) Relay(kind string, to *Probe) *actor.Props {
	return s.Tree.Props(kind, func() actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			switch c.Message().(type) {
			case actor.SystemMessage, actor.AutoReceiveMessage:
			default:
				c.Forward(to.PID)
			}
		})
	})
}
