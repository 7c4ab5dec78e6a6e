package supervise

import (
	"errors"
	"math"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/pattern"
)

// Supervision is how a whole tree answers failures. Each supervisor has a
// strategy of its own, made of Restarts: what it does when a child cannot be
// kept alive depends on what the child is for. Around puts another strategy in
// the place of that one; nil: none.
type Supervision struct {
	Restarts Backoff
	Around   func(Strategy) Strategy
}

// Supervisions are those that a user can choose from.
var Supervisions = pattern.NewKind[Supervision]("supervision", "what follows when an actor fails", "one-for-one", pattern.Everywhere, pattern.OfClient)

// restarts are the keys of all patterns of this kind.
type restarts struct {
	Base    time.Duration `about:"delay before the first restart"`
	Cap     time.Duration `about:"the longest delay"`
	Factor  float64       `about:"by which each delay is longer than the one before"`
	Jitter  float64       `about:"part of a delay that chance may take off"`
	Budget  int           `about:"restarts within the window until an actor is given up; of a peer half of it"`
	Window  time.Duration `about:"time in which restarts count"`
	Healthy time.Duration `about:"how long an actor must have lived for delays to begin anew"`
}

var usualRestarts = restarts{
	DefaultBackoff.Base, DefaultBackoff.Cap, DefaultBackoff.Factor, DefaultBackoff.Jitter,
	DefaultBackoff.Budget, DefaultBackoff.Window, DefaultBackoff.Healthy,
}

// Check refuses values with which delays cannot be computed, or which mean
// something else in a Backoff.
func (r restarts) Check() error {
	switch {
	case r.Factor < 1 || r.Factor > math.MaxFloat32:
		return errors.New("factor must be 1 or more")
	case r.Jitter > 1:
		return errors.New("jitter must be from 0 to 1")
	case r.Budget == 0:
		return errors.New("budget must be 1 or more")
	case r.Window == 0 || r.Cap == 0 || r.Healthy == 0:
		return errors.New("window, cap and healthy must be more than 0")
	}
	return nil
}

// backoff is the restarts as a strategy. A zero Base or Jitter is no default
// there.
func (r restarts) backoff() Backoff {
	b := Backoff{Base: r.Base, Cap: r.Cap, Factor: r.Factor, Jitter: r.Jitter, Budget: r.Budget, Window: r.Window, Healthy: r.Healthy}
	if b.Base == 0 {
		b.Base = -1
	}
	if b.Jitter == 0 {
		b.Jitter = -1
	}
	return b
}

var _ = pattern.Keyed(Supervisions, "one-for-one", "what has failed is restarted after a while; store and scheduler take the engine with them", usualRestarts,
	func(r restarts) Supervision { return Supervision{Restarts: r.backoff()} })

var _ = pattern.Keyed(Supervisions, "all-for-one", "what has failed is restarted together with its siblings", usualRestarts,
	func(r restarts) Supervision {
		b := r.backoff()
		b.All = true
		return Supervision{Restarts: b}
	})

var _ = Supervisions.Register("stop", "nothing is restarted but limiter, listener and trackers: a peer is given up, any other failure ends its torrent or the client", func() Supervision {
	b := usualRestarts.backoff()
	b.Spent = true
	return Supervision{Restarts: b}
})

var _ = pattern.Keyed(Supervisions, "escalate", "the supervisor of what has failed is restarted, with all that is below", usualRestarts,
	func(r restarts) Supervision {
		return Supervision{r.backoff(), func(own Strategy) Strategy { return escalation{own, false} }}
	})

var _ = pattern.Keyed(Supervisions, "restart-node", "any failure restarts the whole client, as if the process had crashed", usualRestarts,
	func(r restarts) Supervision {
		return Supervision{r.backoff(), func(own Strategy) Strategy { return escalation{own, true} }}
	})

// escalation lets a supervisor fail in the place of its child: of any, or of
// one that supervises nothing itself.
type escalation struct {
	own Strategy
	any bool
}

func (e escalation) Name() string { return "escalate" }

func (e escalation) Decide(f Failure) Decision {
	if e.any || !f.Supervises {
		return Decision{Action: event.ActionEscalate}
	}
	d := e.own.Decide(f)
	set(&d.Strategy, e.own.Name())
	return d
}
