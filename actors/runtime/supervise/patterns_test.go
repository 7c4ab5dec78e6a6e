package supervise

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"kouzui/actors/runtime/event"
)

// What a pattern decides about the first failure of a leaf of the tree, and of
// an actor that supervises others.
func TestSupervisionsDecide(t *testing.T) {
	for spec, want := range map[string]struct {
		leaf, above event.Action
		all         bool
	}{
		"one-for-one":  {event.ActionRestart, event.ActionRestart, false},
		"all-for-one":  {event.ActionRestart, event.ActionRestart, true},
		"stop":         {event.ActionStop, event.ActionStop, false},
		"escalate":     {event.ActionEscalate, event.ActionRestart, false},
		"restart-node": {event.ActionEscalate, event.ActionEscalate, false},
	} {
		s, err := Supervisions.Make(spec)
		if err != nil {
			t.Fatal(err)
		}
		s.Restarts.WhenSpent = ThenStop
		strategy := Strategy(s.Restarts)
		if s.Around != nil {
			strategy = s.Around(strategy)
		}
		for supervises, action := range map[bool]event.Action{false: want.leaf, true: want.above} {
			d := strategy.Decide(Failure{Kind: "x", History: &History{}, Now: time.Unix(1, 0), Rand: rand.New(rand.NewPCG(1, 2)), Supervises: supervises})
			if d.Action != action || d.All != want.all {
				t.Errorf("%s: %+v, want %s, all %v", spec, d, action, want.all)
			}
		}
	}
}

func TestKeysOfSupervision(t *testing.T) {
	s, err := Supervisions.Make("one-for-one")
	if err != nil || s.Restarts != DefaultBackoff {
		t.Errorf("the default is %+v, %v", s.Restarts, err)
	}
	s, err = Supervisions.Make("all-for-one,base=0s,budget=3,jitter=0,cap=2s")
	if err != nil {
		t.Fatal(err)
	}
	h := History{}
	for attempt, want := range []event.Action{event.ActionRestart, event.ActionRestart, event.ActionRestart, event.ActionEscalate} {
		d := s.Restarts.Next(&h, time.Unix(1, 0), rand.New(rand.NewPCG(1, 2)))
		if d.Action != want || d.Delay != 0 {
			t.Errorf("failure %d: %+v", attempt+1, d)
		}
	}
	for spec, want := range map[string]string{
		"one-for-one,budget=0":  "budget must be 1 or more",
		"escalate,factor=0.5":   "factor must be 1 or more",
		"one-for-one,jitter=2":  "jitter must be from 0 to 1",
		"one-for-one,window=0s": "more than 0",
		"stop,budget=3":         `there is no key "budget", nor any other`,
	} {
		if err := Supervisions.Check(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", spec, err)
		}
	}
}
