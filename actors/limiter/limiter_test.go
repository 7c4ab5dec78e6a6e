package limiter

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

type scene struct {
	*stage.Stage
	session *stage.Probe
}

func perform(t *testing.T) *scene { return performBy(t, "") }

func performBy(t *testing.T, spec string) *scene {
	rule, err := Limiters.Make(spec)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{Stage: stage.New(t)}
	s.session = s.StartProbe("session")
	config := Config{World: s.World.World(), Refs: messages.Refs{Session: s.session.PID}, Rule: rule}
	s.Perform(func() actor.Actor { return New(config) })
	stage.Next[*messages.LimiterReady](s.session)
	return s
}

func ask(s *scene, p *stage.Probe, d messages.Direction, bytes int) {
	s.Tell(&messages.TokensWanted{From: p.PID, Direction: d, Bytes: bytes})
}

func granted(t *testing.T, p *stage.Probe, d messages.Direction, bytes int) {
	t.Helper()
	if m := stage.Next[*messages.TokensGranted](p); m.Direction != d || m.Bytes != bytes {
		t.Fatalf("granted %+v, want %v %d", m, d, bytes)
	}
}

func TestGrantsInTurn(t *testing.T) {
	s := perform(t)
	a, b := s.StartProbe("a"), s.StartProbe("b")
	s.Tell(&messages.SetLimits{Down: 8000}) // slices of 1000
	ask(s, a, messages.Down, 3000)
	ask(s, b, messages.Down, 400)
	ask(s, a, messages.Up, 50000)
	granted(t, a, messages.Up, 50000) // no limit
	s.Quiet(a)
	s.World.Clock.Advance(126 * time.Millisecond)
	granted(t, a, messages.Down, 1000)
	s.Quiet(b)
	s.World.Clock.Advance(60 * time.Millisecond)
	granted(t, b, messages.Down, 400)
	s.Quiet(a)
}

func TestNoLimitAnymoreServesAll(t *testing.T) {
	s := perform(t)
	a := s.StartProbe("a")
	s.Tell(&messages.SetLimits{Down: 1, Up: 1})
	ask(s, a, messages.Down, 1<<20)
	ask(s, a, messages.Up, 1<<20)
	s.Quiet(a)
	s.Tell(&messages.SetLimits{Up: 1})
	granted(t, a, messages.Down, 1<<20)
	s.Quiet(a)
}

func TestDeadPeerKeepsNobodyWaiting(t *testing.T) {
	s := perform(t)
	a, b := s.StartProbe("a"), s.StartProbe("b")
	s.Tell(&messages.SetLimits{Down: 8000})
	ask(s, a, messages.Down, 1000)
	ask(s, b, messages.Down, 100)
	s.Settle()
	s.Stop(a)
	s.World.Clock.Advance(13 * time.Millisecond)
	s.Settle()
	s.World.Clock.Advance(120 * time.Millisecond)
	granted(t, b, messages.Down, 100)
}

func TestRestartBeginsEmptyAndUntold(t *testing.T) {
	s := perform(t)
	a := s.StartProbe("a")
	s.Tell(&messages.SetLimits{Down: 8000})
	s.Settle()
	s.World.Clock.Advance(time.Hour)
	s.Crash()
	stage.Next[*messages.LimiterReady](s.session)
	ask(s, a, messages.Down, 1000)
	s.Quiet(a)
	s.Tell(&messages.SetLimits{Down: 8000})
	s.Quiet(a)
	s.World.Clock.Advance(126 * time.Millisecond)
	granted(t, a, messages.Down, 1000)
}
