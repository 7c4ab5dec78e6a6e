// Package choker decides which peers may download from us (BEP 3). How it
// decides is an Algorithm, chosen by name.
//
// Every ten seconds the slots are given anew. Between two rounds only free slots
// are filled, at once: a peer that becomes interested does not wait when nobody
// else wants its slot.
package choker

import (
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
)

const (
	every        = 10 * time.Second // from round to round
	defaultSlots = 4
	// Beyond some peers a look at all of them waits, this long for each, so that
	// thousands who come, go or change their mind do not cause as many.
	fewPeers = 100
	patience = 200 * time.Microsecond
)

// Config is what a choker is built from.
type Config struct {
	World     *world.World
	Refs      messages.Refs
	Algorithm string // one of Names; empty: Default
	Slots     int    // unchoked by merit, beside the optimistic one; 0: 4
}

// New builds a choker.
func New(cfg Config) actor.Actor { return &choker{Config: cfg} }

type choker struct {
	Config
	table table
	pids  map[messages.PeerKey]*actor.PID
	keys  map[string]messages.PeerKey // by the id of the PID
	rand  *rand.Rand
	timer world.Timer // nil: no round is due
	looks bool        // between two rounds, soon
}

// round and look: the choker to itself, by timers: a regular round, and a look at
// whether slots are free between two rounds.
type (
	round struct{}
	look  struct{}
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
		k.timer = nil
		k.decide(c, true)
		k.nextRound(c)
	case *look:
		k.looks = false
		k.decide(c, false)
	case *actor.Restarting, *actor.Stopping:
		if k.timer != nil {
			k.timer.Stop()
		}
	}
}

func (k *choker) start(c actor.Context) {
	algorithm, err := NewAlgorithm(k.Algorithm)
	if err != nil {
		supervise.Fail(err)
	}
	if k.Slots <= 0 {
		k.Slots = defaultSlots
	}
	k.table = table{algorithm: algorithm, slots: k.Slots}
	k.pids = map[messages.PeerKey]*actor.PID{}
	k.keys = map[string]messages.PeerKey{}
	k.rand = k.World.Chance.Source(c.Self().Id)
	c.Send(k.Refs.Scheduler, &messages.ReportRates{})
	c.Send(k.Refs.Peers, &messages.ReportRates{})
}

// nextRound sets the timer while there is anybody to be choked.
func (k *choker) nextRound(c actor.Context) {
	if k.timer != nil || len(k.pids) == 0 {
		return
	}
	k.timer = supervise.SendAfter(c, k.World.Clock, every, &round{})
}

func (k *choker) reported(c actor.Context, m *messages.PeerRates) {
	if k.pids[m.Key] == nil {
		k.pids[m.Key], k.keys[m.Peer.Id] = m.Peer, m.Key
		c.Watch(m.Peer)
		k.nextRound(c)
	}
	news, odd := k.table.observe(m)
	if odd {
		k.tell(c, m.Key) // once more; it does no harm if the report was just late
	}
	if news {
		k.look(c)
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
	k.look(c)
}

// look has free slots filled: at once while peers are few.
func (k *choker) look(c actor.Context) {
	crowd := len(k.pids) - fewPeers
	switch {
	case k.looks:
	case crowd <= 0:
		k.decide(c, false)
	default:
		k.looks = true
		supervise.SendAfter(c, k.World.Clock, time.Duration(crowd)*patience, &look{})
	}
}

func (k *choker) decide(c actor.Context, full bool) {
	for _, key := range k.table.decide(k.World.Clock.Now(), full, k.rand) {
		k.tell(c, key)
		what := "choke"
		if k.table.unchoked(key) {
			what = "unchoke"
		}
		supervise.Remark(c, what, event.Number("peer", key))
	}
}

func (k *choker) tell(c actor.Context, key messages.PeerKey) {
	c.Send(k.pids[key], &messages.SetChoked{Choked: !k.table.unchoked(key)})
}
