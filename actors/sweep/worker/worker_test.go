package worker

import (
	"errors"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/sweep/job"
	"kouzui/actors/sweep/player"
)

// scene is a worker with a player, and probes in the places of the sweep and
// its proxies.
type scene struct {
	*stage.Stage
	t     *testing.T
	sweep *stage.Probe
	plays chan job.Job // what is played
	ends  chan job.Outcome
	done  chan error
}

func newScene(t *testing.T) *scene {
	s := &scene{Stage: stage.New(t), t: t, plays: make(chan job.Job), ends: make(chan job.Outcome), done: make(chan error, 10)}
	s.sweep = s.StartProbe("sweep")
	play := func(j job.Job) (job.Outcome, error) {
		s.plays <- j
		return <-s.ends, nil
	}
	config := Config{
		Clock: s.World.Clock, Sweep: s.sweep.PID, Join: job.Join{ID: "id", Label: "x:1", Build: "b"}, Patience: time.Minute,
		Understand: func(e string) (string, player.Play, error) {
			if e == `"bad"` {
				return "", nil, errors.New("bad")
			}
			return "digest of " + e, play, nil
		},
		Player: s.Tree.Props("player", player.New, supervise.Blocking()),
		Notify: func(err error) { s.done <- err },
	}
	s.Perform(func() actor.Actor { return New(config) })
	return s
}

func (s *scene) says(from *stage.Probe, m job.Remote) {
	s.t.Helper()
	text, err := job.Encode(m)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Tree.System.Root.RequestWithCustomSender(s.Actor, wrapperspb.String(text), from.PID)
}

func (s *scene) hears(p *stage.Probe) job.Remote {
	s.t.Helper()
	m, err := job.Decode(stage.Next[*wrapperspb.StringValue](p).Value)
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

// welcome has a proxy welcome the worker, and returns what the worker is ready
// for.
func (s *scene) welcome(proxy *stage.Probe, experiment string) *job.Ready {
	s.t.Helper()
	s.says(proxy, job.Remote{Welcome: &job.Welcome{Experiment: experiment}})
	m := s.hears(proxy)
	if m.Ready == nil {
		s.t.Fatalf("the proxy hears %+v", m)
	}
	return m.Ready
}

func (s *scene) joins() {
	s.t.Helper()
	if m := s.hears(s.sweep); m.Join == nil || m.Join.ID != "id" || m.Join.Build != "b" {
		s.t.Fatalf("the sweep hears %+v", m)
	}
}

func TestAWorkerJoinsUntilItIsWelcome(t *testing.T) {
	s := newScene(t)
	s.joins()
	s.Settle() // the timer is set after the worker has asked
	s.World.Clock.Advance(joinAgain)
	s.joins()
	proxy := s.StartProbe("proxy")
	if r := s.welcome(proxy, `"x"`); r.Digest != `digest of "x"` || r.Plays != "" || r.Last != nil {
		t.Errorf("ready is %+v", r)
	}
	s.World.Clock.Advance(time.Hour)
	s.Quiet(s.sweep, proxy)
}

func TestWhatIsPlayedOutlivesTheSweep(t *testing.T) {
	s := newScene(t)
	s.joins()
	first, second := s.StartProbe("first"), s.StartProbe("second")
	s.welcome(first, `"x"`)
	s.says(second, job.Remote{Play: &job.Play{Job: "0"}}) // not its proxy
	s.says(first, job.Remote{Play: &job.Play{Job: "1"}})
	if j := <-s.plays; j != "1" {
		t.Fatalf("played is %s", j)
	}
	s.Stop(first)
	s.joins()
	if r := s.welcome(second, `"x"`); r.Plays != "1" {
		t.Errorf("ready is %+v", r)
	}
	s.ends <- "7"
	if m := s.hears(second); m.Played == nil || *m.Played != (job.Played{Job: "1", Outcome: "7"}) {
		t.Errorf("the second hears %+v", m)
	}
	s.Stop(second)
	s.joins()
	third := s.StartProbe("third")
	if r := s.welcome(third, `"x"`); r.Plays != "" || r.Last == nil || r.Last.Outcome != "7" {
		t.Errorf("ready is %+v", r)
	}
	if r := s.welcome(third, `"y"`); r.Last != nil {
		t.Errorf("an outcome of another experiment is said: %+v", r)
	}
}

func TestHowAWorkerEnds(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*scene)
		want error
	}{
		"nothing is left":   {func(s *scene) { s.says(s.sweep, job.Remote{Dismiss: &job.Dismiss{}}) }, nil},
		"refused":           {func(s *scene) { s.says(s.sweep, job.Remote{Dismiss: &job.Dismiss{Reason: "other build"}}) }, ErrDismissed},
		"nobody answers":    {func(s *scene) { s.Settle(); s.World.Clock.Advance(2 * time.Minute) }, ErrNoSweep},
		"left before":       {func(s *scene) { s.Tell(&Leave{}) }, ErrLeft},
		"cannot understand": {func(s *scene) { s.says(s.sweep, job.Remote{Welcome: &job.Welcome{Experiment: `"bad"`}}) }, errAny},
		"left while it plays": {func(s *scene) {
			proxy := s.StartProbe("proxy")
			s.welcome(proxy, `"x"`)
			s.Tell(&Leave{})
			if m := s.hears(proxy); m.Leave == nil {
				s.t.Errorf("the proxy hears %+v", m)
			}
			s.says(proxy, job.Remote{Dismiss: &job.Dismiss{}})
		}, nil},
		"left, and nobody hears": {func(s *scene) {
			s.welcome(s.StartProbe("proxy"), `"x"`)
			s.Tell(&Leave{})
			s.Settle()
			s.World.Clock.Advance(leaveTime)
		}, ErrLeft},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.joins()
			c.do(s)
			if err := <-s.done; !errors.Is(err, c.want) && (c.want != errAny || err == nil) {
				t.Errorf("%v, want %v", err, c.want)
			}
			s.says(s.sweep, job.Remote{Dismiss: &job.Dismiss{}})
			s.Settle()
			if len(s.done) > 0 {
				t.Error("told twice")
			}
		})
	}
}

var errAny = errors.New("any error")
