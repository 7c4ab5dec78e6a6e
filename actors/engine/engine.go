// Package engine is the supervisor of what a torrent must rebuild together:
// store, scheduler, choker, peers and web seeds. A failure of store or
// scheduler becomes the engine's own, so that its supervisor, the torrent,
// restarts the engine as a unit: all members stop, and new ones begin with
// empty mailboxes. The others are restarted alone.
package engine

import (
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// Names of the members, which are also their kinds.
const (
	Store     = "store"
	Scheduler = "scheduler"
	Choker    = "choker"
	Peers     = "peers"
)

// Web is the kind of web seeds, of which each has a number in its name.
const Web = "web"

// Strategy is how the engine answers the failures of its members.
func Strategy(usual supervise.Backoff) supervise.Strategy {
	web := usual
	web.WhenSpent = supervise.ThenStop // others may have the content
	return supervise.ByKind(map[string]supervise.Strategy{
		Store:     supervise.Escalate,
		Scheduler: supervise.Escalate,
		Web:       web,
	}, usual)
}

// Config is what an engine is built from.
type Config struct {
	Refs    messages.Refs     // of the actors above the engine
	Torrent *metainfo.Torrent // nil: only the info hash is known, until SetMetainfo
	// Member makes the props of one member. Peers are made without torrent if it
	// is not known.
	Member func(name string, refs messages.Refs, torrent *metainfo.Torrent) *actor.Props
	// WebSeed makes the props of one of the torrent's web seeds; nil: they are not
	// used.
	WebSeed func(seed int, refs messages.Refs, torrent *metainfo.Torrent) *actor.Props
}

// New builds an engine.
func New(c Config) actor.Actor { return &engine{Config: c} }

type engine struct {
	Config
	webs   []*actor.PID // that have not been given up
	ending bool         // members stop because the engine does
}

func (e *engine) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		e.start(c)
	case *messages.SetMetainfo:
		if e.Torrent == nil {
			e.Torrent = m.Torrent
			e.spawn(c, Scheduler, Choker, Store)
			e.spawnWebSeeds(c)
		}
		c.Forward(e.Refs.Peers) // which may have been restarted
	case *messages.SetMemory:
		c.Forward(e.Refs.Store)
		c.Forward(e.Refs.Scheduler)
	case *messages.SetWanted:
		c.Forward(e.Refs.Scheduler)
		c.Forward(e.Refs.Store)
		c.Forward(e.Refs.Peers)
		e.forwardToWebSeeds(c)
	case *messages.SetLimits:
		c.Forward(e.Refs.Peers)
		e.forwardToWebSeeds(c)
	case *messages.Flush:
		c.Forward(e.Refs.Store)
	case *messages.AdoptLink, *messages.AddCandidates, *messages.SetDialing,
		*messages.SetPublicity, *messages.SetOurAddress, *messages.SetListenPort, *messages.QueryMetadataOffers, *messages.ForgetPeers, *messages.CloseConnections:
		c.Forward(e.Refs.Peers)
	case *messages.QueryPeers, *messages.SetUrgent:
		c.Forward(e.Refs.Scheduler)
	case *messages.QueryContent:
		c.Forward(e.Refs.Store)
	case *messages.EvictIdlePeer:
		if e.Torrent == nil {
			c.Forward(e.Refs.Peers)
		} else {
			c.Forward(e.Refs.Scheduler)
		}
	case *actor.Restarting, *actor.Stopping:
		e.ending = true
	case *actor.Terminated:
		if i := slices.IndexFunc(e.webs, m.Who.Equal); i >= 0 {
			e.webs = slices.Delete(e.webs, i, i+1)
		} else if !e.ending {
			// A member is only ever restarted, or takes the engine with it.
			panic("engine: member gone: " + m.Who.Id)
		}
	}
}

// start spawns the members; without metainfo only peers, which connect with
// peers from whom the metainfo may come. The addresses of members are known
// beforehand, so each is told all of them. What is sent to a member before it
// is spawned is lost, so each is spawned after the members to which it sends at
// its start: the choker after peers and scheduler, the store after the
// scheduler.
func (e *engine) start(c actor.Context) {
	self := c.Self()
	e.Refs.Engine = self
	member := func(name string) *actor.PID { return actor.NewPID(self.Address, self.Id+"/"+name) }
	e.Refs.Store, e.Refs.Scheduler = member(Store), member(Scheduler)
	e.Refs.Choker, e.Refs.Peers = member(Choker), member(Peers)
	if e.Torrent == nil {
		e.spawn(c, Peers)
		c.Send(e.Refs.Torrent, &messages.QueryMetainfo{})
		return
	}
	e.spawn(c, Scheduler, Peers, Choker, Store)
	e.spawnWebSeeds(c)
}

func (e *engine) spawn(c actor.Context, names ...string) {
	for _, name := range names {
		if _, err := c.SpawnNamed(e.Member(name, e.Refs, e.Torrent), name); err != nil {
			supervise.Fail(err)
		}
	}
}

func (e *engine) spawnWebSeeds(c actor.Context) {
	if e.WebSeed == nil {
		return
	}
	for i := range e.Torrent.WebSeeds {
		pid, err := c.SpawnNamed(e.WebSeed(i, e.Refs, e.Torrent), fmt.Sprintf("%s-%d", Web, i))
		if err != nil {
			supervise.Fail(err)
		}
		e.webs = append(e.webs, pid)
	}
}

func (e *engine) forwardToWebSeeds(c actor.Context) {
	for _, web := range e.webs {
		c.Forward(web)
	}
}
