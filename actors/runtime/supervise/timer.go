package supervise

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/world"
)

// Timer brings its actor a message at a later time. It is set for one time at
// most: to set it anew, or to stop it, takes back what it was set for, even a
// message that waits in the mailbox already. When the actor reads the message,
// the timer is no longer set. The zero value is a timer that is not set.
//
// One incarnation of an actor has it, and stops it when it is restarted or
// stopped. From then on nothing sets it, whatever the actor is still told.
type Timer struct {
	timer   world.Timer
	at      time.Time // when it comes; zero: it is not set
	pending *firing
}

// firing is the message of a timer on its way.
type firing struct {
	addressed
	of *Timer
}

// isDue tells whether the timer has been set anew, or stopped, since.
func (f *firing) isDue() bool { return f.of.pending == f }

// IsSet tells whether a message is to come.
func (t *Timer) IsSet() bool { return t.pending != nil }

// SetAt has message come at a time, and at no other; zero: never. A timer that
// is set for that time already stays as it is.
func (t *Timer) SetAt(c actor.Context, clock world.Clock, at time.Time, message any) {
	switch {
	case at.Equal(t.at):
	case at.IsZero():
		t.Stop()
	default:
		t.set(c, clock, at.Sub(clock.Now()), at, message)
	}
}

// SetBy has message come at a time, unless the timer comes sooner. It is for
// actors to whom a timer that comes too early, or for nothing, does no harm.
// Zero sets nothing.
func (t *Timer) SetBy(c actor.Context, clock world.Clock, at time.Time, message any) {
	if !at.IsZero() && (!t.IsSet() || at.Before(t.at)) {
		t.set(c, clock, at.Sub(clock.Now()), at, message)
	}
}

// SetAfter has message come after d, and at no other time.
func (t *Timer) SetAfter(c actor.Context, clock world.Clock, d time.Duration, message any) {
	t.set(c, clock, d, clock.Now().Add(d), message)
}

// SetAtNext has message come at the next time that is a multiple of every. It
// is for timers that need not be exact: those of many actors then fire at the
// same moment, and the processor wakes once.
func (t *Timer) SetAtNext(c actor.Context, clock world.Clock, every time.Duration, message any) {
	now := clock.Now()
	at := now.Truncate(every).Add(every)
	t.set(c, clock, at.Sub(now), at, message)
}

func (t *Timer) set(c actor.Context, clock world.Clock, d time.Duration, at time.Time, message any) {
	t.Stop()
	n, _ := nodeOf(c)
	if n.over || n.closing {
		return
	}
	self, root := c.Self(), c.ActorSystem().Root
	f := &firing{addressed{n, Incarnation(c), message}, t}
	t.at, t.pending = at, f
	t.timer = clock.AfterFunc(max(0, d), func() { root.Send(self, f) })
}

// Stop sees to it that no message comes.
func (t *Timer) Stop() {
	if t.timer != nil {
		t.timer.Stop()
	}
	*t = Timer{}
}
