package proxy

import (
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/sweep/job"
)

var subject = job.Subject{Build: "b", Experiment: `{"name":"x"}`, Digest: "d"}

// scene is a proxy below a probe in the place of the sweep, and its worker.
type scene struct {
	*stage.Stage
	t        *testing.T
	worker   *stage.Probe
	launched chan func(error) // the ends of processes
	stopped  chan struct{}
}

func newScene(t *testing.T, ours bool) *scene {
	s := &scene{Stage: stage.New(t), t: t, launched: make(chan func(error), 10), stopped: make(chan struct{}, 10)}
	s.worker = s.StartProbe("worker")
	config := Config{Subject: subject, ID: "id"}
	if ours {
		config.Launch = func(id string, ended func(error)) (func(), error) {
			s.launched <- ended
			return func() { s.stopped <- struct{}{} }, nil
		}
	}
	s.Perform(func() actor.Actor { return New(config) })
	return s
}

// says sends to the proxy as the worker.
func (s *scene) says(from *stage.Probe, m job.Remote) {
	s.t.Helper()
	text, err := job.Encode(m)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Tree.System.Root.RequestWithCustomSender(s.Actor, wrapperspb.String(text), from.PID)
}

// hears is the next message that the worker gets.
func (s *scene) hears() job.Remote {
	s.t.Helper()
	m, err := job.Decode(stage.Next[*wrapperspb.StringValue](s.worker).Value)
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func (s *scene) join() {
	s.t.Helper()
	s.Tell(&Adopt{Worker: s.worker.PID, Label: "x:1"})
	if m := s.hears(); m.Welcome == nil || m.Welcome.Experiment != subject.Experiment {
		s.t.Fatalf("the worker hears %+v", m)
	}
	s.says(s.worker, job.Remote{Ready: &job.Ready{Digest: "d", Plays: "1"}})
	if m := stage.Next[*Ready](s.Probe); m.Label != "x:1" || m.Plays != "1" {
		s.t.Fatalf("ready is %+v", m)
	}
}

func TestAJobGoesDownAndItsOutcomeUp(t *testing.T) {
	s := newScene(t, false)
	s.Tell(&job.Play{Job: "1"}) // nobody has joined
	s.join()
	s.Tell(&job.Play{Job: "2"})
	if m := s.hears(); m.Play == nil || m.Play.Job != "2" {
		t.Fatalf("the worker hears %+v", m)
	}
	stranger := s.StartProbe("stranger")
	s.says(stranger, job.Remote{Played: &job.Played{Job: "2", Outcome: "0"}})
	s.says(s.worker, job.Remote{Played: &job.Played{Job: "2", Outcome: "7"}})
	if m := stage.Next[*Played](s.Probe); m.Job != "2" || m.Outcome != "7" {
		t.Errorf("played is %+v", m)
	}
	s.Tree.System.Root.RequestWithCustomSender(s.Actor, wrapperspb.String("{"), s.worker.PID)
	s.Quiet(s.Probe, s.worker)
}

func TestAWorkerOfAnotherExperimentIsRefused(t *testing.T) {
	s := newScene(t, false)
	s.Tell(&Adopt{Worker: s.worker.PID, Label: "x:1"})
	s.hears()
	s.says(s.worker, job.Remote{Ready: &job.Ready{Digest: "other"}})
	if m := stage.Next[*Refused](s.Probe); m.Label != "x:1" || m.Reason == "" {
		t.Errorf("refused is %+v", m)
	}
	if m := s.hears(); m.Dismiss == nil || m.Dismiss.Reason == "" {
		t.Errorf("the worker hears %+v", m)
	}
}

func TestTheProxyEndsWithAWorkerThatCameByItself(t *testing.T) {
	stop := func(s *scene) {
		if err := s.Tree.System.Root.StopFuture(s.worker.PID).Wait(); err != nil {
			s.t.Fatal(err)
		}
	}
	fail := func(s *scene) {
		if err := s.Tree.Kill(s.Actor.Id, "on purpose"); err != nil {
			s.t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		end    func(*scene)
		reason string
	}{
		"the worker leaves":   {func(s *scene) { s.says(s.worker, job.Remote{Leave: &job.Leave{}}) }, ""},
		"the worker has gone": {stop, "the connection has ended"},
		"nothing is left":     {func(s *scene) { s.Tell(&job.Dismiss{}); s.hears(); stop(s) }, ""},
		"the proxy fails":     {fail, "its proxy has failed"}, // and the worker joins again
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, false)
			s.join()
			c.end(s)
			if m := stage.Next[*Lost](s.Probe); m.Reason != c.reason {
				t.Errorf("lost because %q, want %q", m.Reason, c.reason)
			}
			s.awaitEnd()
		})
	}
}

// awaitEnd returns when the proxy has stopped by itself.
func (s *scene) awaitEnd() {
	for slices.ContainsFunc(s.Tree.Snapshot(), func(n supervise.Node) bool { return n.Path == s.Actor.Id }) {
		runtime.Gosched()
	}
}

func TestAProcessThatEndsIsStartedAgain(t *testing.T) {
	s := newScene(t, true)
	ended := <-s.launched
	s.join()
	ended(errors.New("signal: killed"))
	if m := stage.Next[*Lost](s.Probe); m.Reason != "signal: killed" {
		t.Errorf("lost because %q", m.Reason)
	}
	again := <-s.launched // by its next incarnation
	if m := stage.Next[*Lost](s.Probe); m.Reason == "" {
		t.Errorf("%+v", m)
	}
	ended(errors.New("late")) // of the first
	s.join()
	s.Tell(&job.Dismiss{Reason: "too slow"})
	if m := s.hears(); m.Dismiss == nil || m.Dismiss.Reason != "too slow" {
		t.Errorf("the worker hears %+v", m)
	}
	<-s.stopped
	again(errors.New("signal: killed"))
	if m := stage.Next[*Lost](s.Probe); m.Reason != "too slow" {
		t.Errorf("lost because %q", m.Reason)
	}
	last := <-s.launched
	stage.Next[*Lost](s.Probe)
	s.Tell(&job.Dismiss{}) // nothing is left to do
	<-s.stopped
	last(errors.New("signal: killed"))
	if m := stage.Next[*Lost](s.Probe); m.Reason != "" { // its job is not to blame
		t.Errorf("lost because %q", m.Reason)
	}
	s.awaitEnd()
	if len(s.launched) > 0 {
		t.Error("a process is started for nothing")
	}
}

func TestAProxyThatFailsEndsItsProcess(t *testing.T) {
	s := newScene(t, true)
	<-s.launched
	s.join()
	s.Crash()
	<-s.stopped
	<-s.launched
	if m := stage.Next[*Lost](s.Probe); m.Reason == "" {
		t.Errorf("%+v", m)
	}
}
