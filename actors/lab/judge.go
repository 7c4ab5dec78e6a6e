package lab

import (
	"slices"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
)

// judge is a sink that holds the life of a process against the rules of
// supervision: what each kind of actor's failure is answered with, how often it
// is restarted and how soon, and that nobody outlives a parent.
type judge struct {
	node   *node
	budget supervise.Backoff
	lives  map[string]*lived // by path

	failures int
}

// lived is what the judge knows of an actor.
type lived struct {
	parent   string
	children int
	failed   bool        // and not answered
	answer   event.Event // the last directive
	restarts []time.Time
}

// answers are what the failure of a kind of actor is answered with, and once
// its budget is spent. What has no entry here is restarted, and takes its
// supervisor with it in the end.
var answers = map[string]struct {
	usual, spent event.Action
	half         bool // of the budget
}{
	"client":       {event.ActionRestart, event.ActionStop, false},
	"session":      {event.ActionRestart, event.ActionStop, false},
	"torrents":     {event.ActionRestart, event.ActionStop, false},
	"limiter":      {event.ActionRestart, event.ActionRestart, false},
	"listener":     {event.ActionRestart, event.ActionRestart, false},
	"tracker":      {event.ActionRestart, event.ActionRestart, false},
	"torrent":      {event.ActionRestart, event.ActionStop, false},
	"engine":       {event.ActionRestart, event.ActionStop, false},
	"store":        {event.ActionEscalate, event.ActionEscalate, false},
	"scheduler":    {event.ActionEscalate, event.ActionEscalate, false},
	"peer":         {event.ActionRestart, event.ActionStop, true},
	"inbound-peer": {event.ActionStop, event.ActionStop, false},
}

func newJudge(n *node) *judge {
	b := n.class.Restarts.backoff()
	return &judge{node: n, budget: b, lives: map[string]*lived{}}
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
		return // a dead letter's receiver is nobody
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

// answered holds a directive against what the actor's kind is to be answered
// with.
func (j *judge) answered(a *lived, e *event.Event) {
	if e.Reason == supervise.ReasonParent || e.Reason == supervise.ReasonSibling {
		return // it goes, or comes again, with others
	}
	rule, is := answers[e.ActorKind]
	if !is {
		rule.usual, rule.spent = event.ActionRestart, event.ActionEscalate
	}
	budget := j.budget.Budget
	if rule.half && budget > 1 {
		budget /= 2
	}
	a.restarts = slices.DeleteFunc(a.restarts, func(t time.Time) bool { return e.Time.Sub(t) >= j.budget.Window })
	want := rule.usual
	if len(a.restarts) >= budget {
		want = rule.spent
	}
	if e.Action != want {
		j.blame("the failure of %s, a %s restarted %d times in %v, is answered with %s, and should be with %s",
			e.Actor, e.ActorKind, len(a.restarts), j.budget.Window, e.Action, want)
	}
	if e.Action == event.ActionRestart && len(a.restarts) < budget {
		a.restarts = append(a.restarts, e.Time)
	}
}

func (j *judge) blame(format string, args ...any) { j.node.run.blame(j.node, format, args...) }
