package sweep

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"kouzui/actors/lab/stage"
	"kouzui/actors/sweep/job"
	"kouzui/actors/sweep/journal"
	"kouzui/actors/sweep/proxy"
)

// scene is a sweep whose journal and proxies only pass on what they are told.
type scene struct {
	*stage.Stage
	t              *testing.T
	journal, proxy *stage.Probe
	told           chan any
	jobs           []job.Job
}

// Jobs implements Keeper.
func (s *scene) Jobs() []job.Job { return s.jobs }

func newScene(t *testing.T, local int) *scene {
	s := &scene{Stage: stage.New(t), t: t, told: make(chan any, 5000)}
	s.journal, s.proxy = s.StartProbe("writes"), s.StartProbe("proxies")
	ids := 0
	config := Config{
		Clock: s.World.Clock, Subject: job.Subject{Build: "b", Digest: "d"}, Keeper: s, Lease: lease, Local: local,
		Journal: s.Relay("journal", s.journal),
		Proxy:   func(string, bool) *actor.Props { return s.Relay("proxy", s.proxy) },
		NewID:   func() string { ids++; return fmt.Sprint("ours", ids) },
		Notify:  func(m any) { s.told <- m },
	}
	s.Perform(func() actor.Actor { return New(config) })
	return s
}

// join has a worker join, by a probe of that name.
func (s *scene) join(from *stage.Probe, id, build string) {
	s.t.Helper()
	text, err := job.Encode(job.Remote{Join: &job.Join{ID: id, Label: "x:" + id, Build: build}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.Tree.System.Root.RequestWithCustomSender(s.Actor, wrapperspb.String(text), from.PID)
}

// proxies are the names of those that run.
func (s *scene) proxies() (names []string) {
	s.Settle()
	for _, n := range s.Tree.Snapshot() {
		if n.Kind == "proxy" {
			names = append(names, n.Path[len(n.Parent)+1:])
		}
	}
	return names
}

func TestAJobFromTheProgramToItsOutcome(t *testing.T) {
	s := newScene(t, 0)
	worker := s.StartProbe("worker")
	jobs := named(1, false)
	s.jobs = jobs
	s.Tell(&AddJobs{Jobs: jobs})
	s.Tell(&journal.Loaded{})
	s.join(worker, "1", "b")
	if m := stage.Next[*proxy.Adopt](s.proxy); !m.Worker.Equal(worker.PID) || m.Label != "x:1" {
		t.Fatalf("adopted is %+v", m)
	}
	s.join(worker, "1", "b") // it has not heard
	stage.Next[*proxy.Adopt](s.proxy)
	if names := s.proxies(); !slices.Equal(names, []string{"worker-1"}) {
		t.Fatalf("%v run", names)
	}
	s.Tell(&proxy.Ready{Name: "worker-1", Label: "x:1"})
	if m := stage.Next[*job.Play](s.proxy); m.Job != jobs[0] {
		t.Fatalf("given is %+v", m)
	}
	s.Crash() // in the middle: its proxies end, and the worker joins again
	s.Tell(&journal.Loaded{})
	s.join(worker, "1", "b")
	stage.Next[*proxy.Adopt](s.proxy)
	s.Tell(&proxy.Ready{Name: "worker-1", Label: "x:1", Plays: jobs[0]})
	s.Quiet(s.proxy)
	s.Tell(&proxy.Played{Name: "worker-1", Job: jobs[0], Outcome: "7"})
	m := stage.Next[*journal.Write](s.journal)
	if len(s.told) > 0 {
		t.Error("told before it is written")
	}
	s.Tell(&journal.Written{Record: m.Record})
	if m := (<-s.told).(*Played); m.Job != jobs[0] || m.Outcome != "7" {
		t.Errorf("told is %+v", m)
	}
	closed := make(chan struct{})
	s.Tell(&Close{Done: func() { close(closed) }})
	stage.Next[*job.Dismiss](s.proxy)
	for _, n := range s.Tree.Snapshot() {
		if n.Kind == "proxy" {
			s.Tree.System.Root.Stop(actor.NewPID(s.Actor.Address, n.Path))
		}
	}
	<-closed
}

func TestWorkersAreRefused(t *testing.T) {
	s := newScene(t, 0)
	worker := s.StartProbe("worker")
	s.join(worker, "1", "other")
	if m := (<-s.told).(*Refused); m.Worker != "x:1" {
		t.Errorf("told is %+v", m)
	}
	m, err := job.Decode(stage.Next[*wrapperspb.StringValue](worker).Value)
	if err != nil || m.Dismiss == nil || m.Dismiss.Reason == "" {
		t.Errorf("the worker hears %+v, %v", m, err)
	}
	s.Tree.System.Root.Send(s.Actor, wrapperspb.String("{")) // no message, from nobody
	for i := range MaxWorkers + 1 {
		s.join(worker, fmt.Sprint(i), "b")
	}
	if n := len(s.proxies()); n != MaxWorkers {
		t.Errorf("%d run", n)
	}
	if m := (<-s.told).(*Refused); m.Worker != fmt.Sprint("x:", MaxWorkers) {
		t.Errorf("told is %+v", m)
	}
}

func TestTheSweepEndsWithoutJournalOrWorkers(t *testing.T) {
	full := errors.New("full")
	for name, c := range map[string]struct {
		do   func(*scene)
		want error
	}{
		"the journal is full": {func(s *scene) { s.Tell(&journal.Failed{Err: full}) }, full},
		"the journal is given up": {func(s *scene) {
			s.Tree.System.Root.Stop(actor.NewPID(s.Actor.Address, s.Actor.Id+"/journal"))
		}, ErrGivenUp},
		"the only worker is given up": {func(s *scene) {
			s.Tree.System.Root.Stop(actor.NewPID(s.Actor.Address, s.Actor.Id+"/worker-1"))
		}, ErrGivenUp},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, 1)
			s.Settle()
			c.do(s)
			if m := (<-s.told).(*Failed); !errors.Is(m.Err, c.want) {
				t.Errorf("%v, want %v", m.Err, c.want)
			}
		})
	}
}
