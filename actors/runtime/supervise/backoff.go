package supervise

import (
	"kouzui/actors/runtime/event"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Spent is what a supervisor does about a child that fails once more after its
// budget is used up.
type Spent int

const (
	ThenEscalate Spent = iota // its supervisor fails in its place
	ThenStop                  // it is stopped, with reason "budget"
	Forever                   // it is restarted for ever, each time after Cap
)

// Backoff restarts a failed child after a delay that grows with each failure.
// Zero fields take the values of DefaultBackoff; a negative Base means no
// delay, a negative Jitter none, a negative Budget that there is no budget.
type Backoff struct {
	Base   time.Duration // delay before the first restart
	Cap    time.Duration // the longest delay
	Factor float64       // by which each delay is longer than the one before
	Jitter float64       // delays are drawn from 1-Jitter to 1 of their nominal length

	Budget    int           // restarts that are granted within Window
	Window    time.Duration // time in which restarts count
	WhenSpent Spent
	Spent     bool // no restart is granted at all, but those of Forever

	// Healthy is how long an incarnation must have lived for its failure to be
	// counted as the first one, so that delays start from Base again.
	Healthy time.Duration

	// All restarts the siblings together with the failed child. They keep their
	// mailboxes: for a group that must come back with empty mailboxes, put a
	// supervisor of their own above them and let it fail (Escalate).
	All bool
}

// DefaultBackoff is the strategy of a supervisor for which none was chosen. Its
// window is long enough for the whole budget with the longest delays in
// between, so that a child that fails at once each time is given up after about
// a minute.
var DefaultBackoff = Backoff{
	Base:    100 * time.Millisecond,
	Cap:     30 * time.Second,
	Factor:  2,
	Jitter:  0.2,
	Budget:  10,
	Window:  5 * time.Minute,
	Healthy: time.Minute,
}

// History is what a supervisor remembers of one child.
type History struct {
	Started  time.Time   // of the incarnation that failed
	Attempt  int         // restarts since the child was last healthy
	Restarts []time.Time // within the window, oldest first
}

// Next decides what to do about a failure at the time now, and enters the
// failure in h, which never grows beyond the budget.
func (b Backoff) Next(h *History, now time.Time, rnd *rand.Rand) Decision {
	b = b.withDefaults()
	if !h.Started.IsZero() && now.Sub(h.Started) >= b.Healthy {
		h.Attempt = 0
	}
	h.Attempt++
	d := Decision{Action: event.ActionRestart, Attempt: h.Attempt, BudgetLeft: -1, All: b.All}

	if b.Spent {
		if answer, ok := b.spent(h.Attempt); ok {
			return answer
		}
	}
	if b.Budget > 0 {
		h.Restarts = slices.DeleteFunc(h.Restarts, func(t time.Time) bool { return now.Sub(t) >= b.Window })
		d.BudgetLeft = b.Budget - len(h.Restarts)
		if d.BudgetLeft > 0 {
			h.Restarts = append(h.Restarts, now)
			d.BudgetLeft--
		} else if answer, ok := b.spent(h.Attempt); ok {
			return answer
		} else {
			d.Delay = b.jittered(b.Cap, rnd)
			return d
		}
	}
	d.Delay = b.jittered(b.nominal(h.Attempt), rnd)
	return d
}

// spent is the decision about a failure beyond the budget; false means that the
// child is restarted all the same.
func (b Backoff) spent(attempt int) (Decision, bool) {
	d := Decision{Attempt: attempt, Reason: ReasonBudget}
	switch b.WhenSpent {
	case ThenEscalate:
		d.Action = event.ActionEscalate
	case ThenStop:
		d.Action = event.ActionStop
	default:
		return d, false
	}
	return d, true
}

// nominal is Base * Factor^(attempt-1), capped; it does not overflow.
func (b Backoff) nominal(attempt int) time.Duration {
	d := float64(b.Base) * math.Pow(b.Factor, float64(attempt-1))
	if d >= float64(b.Cap) {
		return b.Cap
	}
	return time.Duration(d)
}

func (b Backoff) jittered(d time.Duration, rnd *rand.Rand) time.Duration {
	if b.Jitter <= 0 || d <= 0 {
		return max(d, 0)
	}
	return d - time.Duration(float64(d)*min(b.Jitter, 1)*rnd.Float64())
}

func (b Backoff) withDefaults() Backoff {
	set(&b.Base, DefaultBackoff.Base)
	set(&b.Cap, DefaultBackoff.Cap)
	set(&b.Factor, DefaultBackoff.Factor)
	set(&b.Jitter, DefaultBackoff.Jitter)
	set(&b.Budget, DefaultBackoff.Budget)
	set(&b.Window, DefaultBackoff.Window)
	set(&b.Healthy, DefaultBackoff.Healthy)
	return b
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
