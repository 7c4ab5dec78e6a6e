// Package choker decides which peers may download from us (BEP 3). How it
// decides is an Algorithm, chosen by name.
//
// Every ten seconds the slots are given anew. Between two rounds only free
// slots are filled, at once: a peer that becomes interested is unchoked without
// waiting for the next round if a slot is free.
//
// The shell in this file takes the messages, and tells the peers what the core
// decided:
//
//	table     what is known of each peer, and which are unchoked
//	choke     what an algorithm is
//	rate      the default one, by what peers give us
//	rotation  slots in turn, for seeding
//
// The other algorithms have a file each.
package choker

import (
	"math/rand/v2"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
)

// Config is what a choker is built from.
type Config struct {
	World     *world.World
	Refs      messages.Refs
	Algorithm string // one of Algorithms; empty: its default
	Slots     int    // unchoked by merit, beside the optimistic one; 0: defaultSlots
}

// New returns a choker that is yet to be started.
func New(cfg Config) actor.Actor { return &choker{Config: cfg} }

type choker struct {
	Config
	table table
	pids  map[messages.PeerKey]*actor.PID
	keys  map[string]messages.PeerKey // by the id of the PID
	rand  *rand.Rand

	rounds supervise.Timer
	fills  supervise.Timer // set: free slots are to be filled soon
}

// round and fill: the choker to itself, by timers: all slots are to be given
// anew, or those that are free between two rounds.
type (
	round struct{}
	fill  struct{}
)

func (k *choker) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		k.start(c)
	case *messages.PeerRates:
		k.reported(c, m)
	case *messages.PeerGone:
		k.gone(c, m.Key)
	case *actor.Terminated:
		if key, known := k.keys[m.Who.Id]; known {
			k.gone(c, key)
		}
	case *messages.SeedingChanged:
		k.table.seeding = m.Seeding
	case *round:
		k.decide(c, true)
		k.nextRound(c)
	case *fill:
		k.decide(c, false)
	case *actor.Restarting, *actor.Stopping:
		k.rounds.Stop()
		k.fills.Stop()
	}
}

func (k *choker) start(c actor.Context) {
	algorithm, err := Algorithms.Make(k.Algorithm)
	if err != nil {
		supervise.Fail(err)
	}
	k.table = newTable(algorithm, k.Slots)
	k.pids = map[messages.PeerKey]*actor.PID{}
	k.keys = map[string]messages.PeerKey{}
	k.rand = k.World.Chance.Source(c.Self().Id)
	c.Send(k.Refs.Scheduler, &messages.ReportRates{})
	c.Send(k.Refs.Peers, &messages.ReportRates{})
}

// nextRound sets the timer while there is a peer to be choked.
func (k *choker) nextRound(c actor.Context) {
	if !k.rounds.IsSet() && len(k.pids) > 0 {
		k.rounds.SetAfter(c, k.World.Clock, roundPeriod, &round{})
	}
}

func (k *choker) reported(c actor.Context, m *messages.PeerRates) {
	if k.pids[m.Key] == nil {
		k.pids[m.Key], k.keys[m.Peer.Id] = m.Peer, m.Key
		c.Watch(m.Peer)
		k.nextRound(c)
	}
	mayFill, disagrees := k.table.observe(m)
	if disagrees {
		k.tell(c, m.Key) // once more; it does no harm if the report was just late
	}
	if mayFill {
		k.fill(c)
	}
}

func (k *choker) gone(c actor.Context, key messages.PeerKey) {
	if !k.table.drop(key) {
		return
	}
	pid := k.pids[key]
	delete(k.pids, key)
	delete(k.keys, pid.Id)
	c.Unwatch(pid)
	k.fill(c)
}

// fill has free slots filled, at once or soon.
func (k *choker) fill(c actor.Context) {
	if k.fills.IsSet() {
		return
	}
	delay := k.table.fillDelay()
	if delay == 0 {
		k.decide(c, false)
		return
	}
	k.fills.SetAfter(c, k.World.Clock, delay, &fill{})
}

func (k *choker) decide(c actor.Context, full bool) {
	for _, key := range k.table.decide(k.World.Clock.Now(), full, k.rand) {
		k.tell(c, key)
		what := "choke"
		if !k.table.choked(key) {
			what = "unchoke"
		}
		supervise.Remark(c, what, event.Number("peer", key))
	}
}

func (k *choker) tell(c actor.Context, key messages.PeerKey) {
	c.Send(k.pids[key], &messages.SetChoked{Choked: k.table.choked(key)})
}
