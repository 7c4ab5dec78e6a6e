// Package limiter holds the rates of the whole process: usually one token
// bucket for payload that comes in, one for payload that goes out. Peers ask
// for tokens only while there is a limit, so without one the limiter has
// nothing to do.
package limiter

import (
	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
)

// Config is what a limiter is built from. Its rates come with SetLimits, from
// the session.
type Config struct {
	World *world.World
	Refs  messages.Refs
	Rule  Rule
}

// New returns a limiter that is yet to be started.
func New(cfg Config) actor.Actor { return &limiter{Config: cfg} }

type limiter struct {
	Config
	accounts accounts
	peers    map[string]*actor.PID // all that have ever asked and live, by id; watched
	timer    supervise.Timer       // of the next grant
}

// due: the limiter to itself, by a timer, when the next grant may be possible.
type due struct{}

func (l *limiter) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		l.accounts = accounts{rule: l.Rule}
		if l.Rule.Per != perPeer {
			l.accounts.of("", l.World.Clock.Now())
		}
		l.peers = map[string]*actor.PID{}
		c.Send(l.Refs.Session, &messages.LimiterReady{})
	case *messages.SetLimits:
		l.accounts.setLimits(m, l.World.Clock.Now())
		l.grant(c)
	case *messages.TokensWanted:
		l.watch(c, m.From)
		l.accounts.of(m.From.Id, l.World.Clock.Now()).buckets[m.Direction].ask(m.From.Id, m.Bytes)
		l.grant(c)
	case *due:
		l.grant(c)
	case *actor.Terminated:
		delete(l.peers, m.Who.Id)
		l.accounts.drop(m.Who.Id)
		l.grant(c)
	case *actor.Restarting, *actor.Stopping:
		l.timer.Stop()
	}
}

func (l *limiter) watch(c actor.Context, peer *actor.PID) {
	if l.peers[peer.Id] == nil {
		l.peers[peer.Id] = peer
		c.Watch(peer)
	}
}

// grant hands out the tokens that there are, and sets the timer for those that
// there will be.
func (l *limiter) grant(c actor.Context) {
	now := l.World.Clock.Now()
	for _, account := range l.accounts.all {
		for direction, bucket := range account.buckets {
			for _, g := range bucket.grant(now) {
				c.Send(l.peers[g.who], &messages.TokensGranted{Direction: messages.Direction(direction), Bytes: g.bytes})
			}
		}
	}
	if wait, ok := l.accounts.next(now); ok {
		l.timer.SetBy(c, l.World.Clock, now.Add(wait), &due{})
	}
}
