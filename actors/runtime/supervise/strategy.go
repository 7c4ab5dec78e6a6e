package supervise

import (
	"kouzui/actors/runtime/event"
	"math/rand/v2"
	"time"
)

// Failure is what a strategy knows about a failed child.
type Failure struct {
	Kind     string   // the child's kind, as given to Props
	Reason   any      // what it panicked with
	History  *History // the child's; a strategy advances it
	Now      time.Time
	Rand     *rand.Rand
	Designed bool // it called Fail: no bug
	// Supervises: the child has children of its own.
	Supervises bool
}

// Decision is the answer to a failure.
type Decision struct {
	Action     event.Action
	Delay      time.Duration // before a restart
	Attempt    int
	BudgetLeft int // -1 if there is no budget
	Reason     string
	Strategy   string // name of the strategy that decided, if it is another than the one asked
	All        bool   // restart the siblings as well
}

// Strategy decides what a supervisor does about a failed child. It changes only
// the history and draws random numbers only from the source that are passed to
// it, so many supervisors may use one value at a time.
type Strategy interface {
	Name() string
	Decide(Failure) Decision
}

// Name tells whether the siblings are restarted as well.
func (b Backoff) Name() string {
	if b.All {
		return "all-for-one"
	}
	return "one-for-one"
}

// Decide calls Next.
func (b Backoff) Decide(f Failure) Decision { return b.Next(f.History, f.Now, f.Rand) }

// Always is a strategy that gives the same answer to every failure.
type Always event.Action

// Escalate makes the supervisor fail in the place of its child. StopChild stops
// the child.
const (
	Escalate  = Always(event.ActionEscalate)
	StopChild = Always(event.ActionStop)
)

// Name is the action.
func (a Always) Name() string { return string(a) }

// Decide returns the action.
func (a Always) Decide(Failure) Decision { return Decision{Action: event.Action(a)} }

type byKind struct {
	kinds    map[string]Strategy
	fallback Strategy
}

// ByKind chooses the strategy by the kind of the child that failed.
func ByKind(kinds map[string]Strategy, fallback Strategy) Strategy {
	return byKind{kinds, fallback}
}

func (s byKind) Name() string { return "by-kind" }

func (s byKind) Decide(f Failure) Decision {
	chosen, ok := s.kinds[f.Kind]
	if !ok {
		chosen = s.fallback
	}
	d := chosen.Decide(f)
	set(&d.Strategy, chosen.Name())
	return d
}
