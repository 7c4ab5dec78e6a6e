package lab

import (
	"slices"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
)

// judge is a sink that checks the events of a process against the rules of
// supervision: which directive answers the failure of each kind of actor, how
// often and how soon an actor is restarted, and that no actor outlives its
// parent.
type judge struct {
	node    *node
	answers *supervise.Backoff // to be expected; nil: any, as the strategy is another than the usual ones
	lives   map[string]*lived  // by path

	failures int
}

// lived is what the judge knows of an actor.
type lived struct {
	parent   string
	children int
	failed   bool        // it has failed, and no directive has come yet
	answer   event.Event // the last directive
	restarts []time.Time
}

// answers are the directives for the failures of each kind of actor: the usual
// one, and the one when the budget is spent. A kind without an entry is
// restarted, and when its budget is spent its supervisor fails.
var answers = map[string]struct {
	usual, spent event.Action
	half         bool // it has half of the usual budget
}{
	"client":       {event.ActionRestart, event.ActionStop, false},
	"session":      {event.ActionRestart, event.ActionStop, false},
	"torrents":     {event.ActionRestart, event.ActionStop, false},
	"limiter":      {event.ActionRestart, event.ActionRestart, false},
	"listener":     {event.ActionRestart, event.ActionRestart, false},
	"socket":       {event.ActionRestart, event.ActionRestart, false},
	"tracker":      {event.ActionRestart, event.ActionRestart, false},
	"torrent":      {event.ActionRestart, event.ActionStop, false},
	"engine":       {event.ActionRestart, event.ActionStop, false},
	"store":        {event.ActionEscalate, event.ActionEscalate, false},
	"scheduler":    {event.ActionEscalate, event.ActionEscalate, false},
	"peer":         {event.ActionRestart, event.ActionStop, true},
	"inbound-peer": {event.ActionStop, event.ActionStop, false},
}

func newJudge(n *node) *judge {
	return &judge{node: n, answers: expect(n.run.PatternsOf(n.class)["supervision"]), lives: map[string]*lived{}}
}

// expect is the restarts that a pattern of supervision leads to, if failures
// are answered as answers says.
func expect(spec string) *supervise.Backoff {
	chosen, err := supervise.Supervisions.Make(spec) // checked before
	if err != nil || chosen.Around != nil || chosen.Restarts.Spent {
		return nil
	}
	return &chosen.Restarts
}

// Record implements event.Sink.
func (j *judge) Record(e *event.Event) {
	if t := j.node.run.options.tamper; t != nil && t.events != nil {
		for _, e := range t.events(e) {
			j.record(e)
		}
		return
	}
	j.record(e)
}

func (j *judge) record(e *event.Event) {
	a := j.lives[e.Actor]
	if a == nil && e.Kind != event.Spawned {
		return // the receiver of a dead letter is not in the tree
	}
	switch e.Kind {
	case event.Spawned:
		if parent := j.lives[e.Parent]; parent != nil {
			parent.children++
		} else if e.Parent != "" {
			j.blame("%s is the child of %s, who does not live", e.Actor, e.Parent)
		}
		j.lives[e.Actor] = &lived{parent: e.Parent}
	case event.Failed:
		if e.Stack != "" && !strings.HasPrefix(e.Reason, "injected fault") {
			j.blame("%s panics at %s: %s\n%s", e.Actor, e.MessageType, e.Reason, e.Stack)
		}
		a.failed = true
		j.failures++
	case event.Escalated:
		a.failed = true
	case event.Note:
		if e.Note == event.NotePanic {
			j.blame("%s panics on its way out: %s\n%s", e.Actor, e.Reason, e.Stack)
		}
	case event.Directive:
		a.failed = false
		a.answer = *e
		j.answered(a, e)
	case event.Restarting:
		if j.answers != nil && j.answers.All && e.Cause != a.answer.Seq {
			a.answer = event.Event{} // it waited for its restart, and comes back with a sibling
		}
	case event.Restarted:
		if a.failed {
			j.blame("%s is restarted before its failure was answered", e.Actor)
		}
		if a.children > 0 {
			j.blame("%d actors outlive the life of %s that bore them", a.children, e.Actor)
		}
		if d := a.answer; d.Action == event.ActionRestart && e.Time.Before(d.Time.Add(d.Delay)) {
			j.blame("%s is restarted %v after it failed, and should be %v", e.Actor, e.Time.Sub(d.Time), d.Delay)
		}
	case event.Stopped:
		if a.children > 0 {
			j.blame("%d actors outlive %s", a.children, e.Actor)
		}
		if parent := j.lives[a.parent]; parent != nil {
			parent.children--
		}
		delete(j.lives, e.Actor)
	}
}

// answered checks a directive against those that are right for the kind of the
// actor.
func (j *judge) answered(a *lived, e *event.Event) {
	if j.answers == nil || e.Reason == supervise.ReasonParent || e.Reason == supervise.ReasonSibling {
		return // it stops or is restarted together with others
	}
	rule, is := answers[e.ActorKind]
	if !is {
		rule.usual, rule.spent = event.ActionRestart, event.ActionEscalate
	}
	budget := j.answers.Budget
	if rule.half && budget > 1 {
		budget /= 2
	}
	a.restarts = slices.DeleteFunc(a.restarts, func(t time.Time) bool { return e.Time.Sub(t) >= j.answers.Window })
	want := rule.usual
	if len(a.restarts) >= budget {
		want = rule.spent
	}
	if e.Action != want {
		j.blame("the failure of %s, a %s restarted %d times in %v, is answered with %s, and should be with %s",
			e.Actor, e.ActorKind, len(a.restarts), j.answers.Window, e.Action, want)
	}
	if e.Action == event.ActionRestart && len(a.restarts) < budget {
		a.restarts = append(a.restarts, e.Time)
	}
}

func (j *judge) blame(format string, args ...any) { j.node.run.blame(j.node, format, args...) }
