// Package limiter holds the rates of the whole process: one token bucket for
// payload that comes in, one for payload that goes out. Peers ask for tokens
// only while there is a limit, so without one this actor has nothing to do.
package limiter

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
)

// Config is what a limiter is built from. Its rates come as SetLimits from the
// session.
type Config struct {
	World *world.World
	Refs  messages.Refs
}

// New builds a limiter.
func New(cfg Config) actor.Actor { return &limiter{Config: cfg} }

type limiter struct {
	Config
	buckets [2]*bucket[string]    // by direction; who waits is known by id
	peers   map[string]*actor.PID // all who have ever asked and live; watched
	timer   world.Timer
	due     *due // what timer will bring, nil if it is not set
	dueAt   time.Time
}

// due: the limiter to itself, when the next grant may be possible. Only the one
// set last counts, which is told by its address: it must not be empty.
type due struct{ _ byte }

func (l *limiter) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		now := l.World.Clock.Now()
		l.buckets = [2]*bucket[string]{newBucket[string](now), newBucket[string](now)}
		l.peers = map[string]*actor.PID{}
		c.Send(l.Refs.Session, &messages.LimiterReady{})
	case *messages.SetLimits:
		now := l.World.Clock.Now()
		l.buckets[messages.Down].setRate(m.Down, now)
		l.buckets[messages.Up].setRate(m.Up, now)
		l.grant(c)
	case *messages.TokensWanted:
		l.meet(c, m.From)
		l.buckets[m.Direction].ask(m.From.Id, m.Bytes)
		l.grant(c)
	case *due:
		if m == l.due {
			l.due = nil
			l.grant(c)
		}
	case *actor.Terminated:
		delete(l.peers, m.Who.Id)
		for _, b := range l.buckets {
			b.drop(m.Who.Id)
		}
		l.grant(c)
	case *actor.Restarting, *actor.Stopping:
		if l.timer != nil {
			l.timer.Stop()
		}
	}
}

func (l *limiter) meet(c actor.Context, peer *actor.PID) {
	if l.peers[peer.Id] == nil {
		l.peers[peer.Id] = peer
		c.Watch(peer)
	}
}

// grant gives what there is, and sets the timer for what there is not.
func (l *limiter) grant(c actor.Context) {
	now := l.World.Clock.Now()
	for d, b := range l.buckets {
		for _, g := range b.grant(now) {
			c.Send(l.peers[g.who], &messages.TokensGranted{Direction: messages.Direction(d), Bytes: g.bytes})
		}
	}
	wait, ok := l.next(now)
	at := now.Add(wait)
	if !ok || l.due != nil && !at.Before(l.dueAt) {
		return // a wake-up too early or in vain does no harm
	}
	if l.due != nil {
		l.timer.Stop()
	}
	l.due, l.dueAt = &due{}, at
	l.timer = supervise.SendAfter(c, l.World.Clock, wait, l.due)
}

func (l *limiter) next(now time.Time) (wait time.Duration, ok bool) {
	for _, b := range l.buckets {
		if d, some := b.next(now); some && (!ok || d < wait) {
			wait, ok = d, true
		}
	}
	return wait, ok
}
