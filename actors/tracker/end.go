package tracker

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/announce"
)

// ending is how the announces are brought to their end. Up to half of the time
// is for what is under way and for a `completed` that is due, the rest for
// `stopped`.
type ending struct {
	until  time.Time
	hurry  bool // only `stopped` is said any more
	done   bool // nothing is
	timers []world.Timer
}

// halfTime and lapse: the tracker to itself.
type (
	halfTime struct{ of *ending }
	lapse    struct{ of *ending }
)

// end begins the end. A torrent that asks again gets its answer again.
func (t *tracker) end(c actor.Context, within time.Duration) {
	if t.ending != nil {
		if t.ending.done {
			t.ended(c)
		}
		return
	}
	t.disarm()
	e := &ending{until: t.World.Clock.Now().Add(within)}
	e.timers = []world.Timer{
		supervise.SendAfter(c, t.World.Clock, within/2, &halfTime{e}),
		supervise.SendAfter(c, t.World.Clock, within, &lapse{e}),
	}
	t.ending = e
	t.proceed(c)
}

func (t *tracker) hurry(c actor.Context) {
	t.ending.hurry = true
	if t.call != nil && t.call.event != announce.Stopped {
		t.hangUp()
		t.proceed(c)
	}
}

// windUp says what is left to be said; nothing is under way.
func (t *tracker) windUp(c actor.Context) {
	e := t.ending
	if e.done {
		return
	}
	if !e.hurry && t.schedule.completeOwed() {
		url, r := t.schedule.next(t.World.Clock.Now())
		t.announce(c, url, r, patience)
	} else if url, r, ok := t.schedule.farewell(); ok {
		t.announce(c, url, r, e.until.Sub(t.World.Clock.Now()))
	} else {
		t.ended(c)
	}
}

// ended tells the torrent; nothing is announced after that.
func (t *tracker) ended(c actor.Context) {
	t.hangUp()
	t.ending.stop()
	t.ending.done = true
	c.Send(t.Refs.Torrent, &messages.AnnouncingStopped{Tier: t.Tier})
}

func (e *ending) stop() {
	if e == nil {
		return
	}
	for _, timer := range e.timers {
		timer.Stop()
	}
	e.timers = nil
}
