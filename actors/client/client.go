// Package client is the root of the tree. It supervises the actors of the whole
// process and does nothing else, so that hardly anything can make it fail. If
// it does, its guardian restarts it, and with it all actors.
package client

import (
	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/messages"
)

// Names of the children, which are also their kinds, but for sockets.
const (
	Session  = "session"
	Torrents = "torrents"
	Limiter  = "limiter"
	Listener = "listener"
	Socket4  = "socket-4"
	Socket6  = "socket-6"
	DHT4     = "dht-4"
	DHT6     = "dht-6"
	Mapper   = "mapper"
)

// The kinds of what there is for each address family.
const (
	Socket = "socket"
	DHT    = "dht"
)

// Strategy is how the client answers failures. Limiter, listener, sockets, DHT
// and mapper are restarted for ever: downloads go on without them. Session and
// torrents have a budget, because without a session the user hears nothing any
// more: an honest end is better than silence.
func Strategy(usual supervise.Backoff) supervise.Strategy {
	service, core := usual, usual
	service.WhenSpent = supervise.Forever
	core.WhenSpent = supervise.ThenStop
	return supervise.ByKind(map[string]supervise.Strategy{Limiter: service, Listener: service, Socket: service, DHT: service, Mapper: service}, core)
}

// Guardian is how failures of the client itself are answered.
func Guardian(usual supervise.Backoff) supervise.Strategy {
	usual.WhenSpent = supervise.ThenStop
	return usual
}

// Config is what the client is built from.
type Config struct {
	Listens bool    // there is a listener
	Sockets [2]bool // there is a UDP socket of this family
	DHT     bool    // there is a DHT for each socket
	Maps    bool    // there is a mapper
	// Child makes the props of one child.
	Child func(name string, refs messages.Refs) *actor.Props
}

// New builds the client.
func New(c Config) actor.Actor { return &client{Config: c} }

type client struct {
	Config
	ending bool // children stop because the client does
}

func (cl *client) Receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Started:
		cl.start(c)
	case *actor.Restarting, *actor.Stopping:
		cl.ending = true
	case *actor.Terminated: // a child's budget is spent
		if !cl.ending {
			supervise.StopSelf(c, supervise.ReasonBudget)
		}
	}
}

// start spawns the children, which know each other's addresses beforehand. The
// session comes first, so that all that the others say at their start reaches
// its mailbox.
func (cl *client) start(c actor.Context) {
	self := c.Self()
	child := func(name string) *actor.PID { return actor.NewPID(self.Address, self.Id+"/"+name) }
	refs := messages.Refs{Session: child(Session), Torrents: child(Torrents), Limiter: child(Limiter)}
	names := []string{Session, Limiter, Torrents}
	for family, name := range []string{Socket4, Socket6} {
		if cl.Sockets[family] {
			refs.Sockets[family] = child(name)
			names = append(names, name)
		}
	}
	for family, name := range []string{DHT4, DHT6} {
		if cl.Sockets[family] && cl.DHT {
			refs.DHT[family] = child(name)
			names = append(names, name)
		}
	}
	if cl.Maps {
		refs.Mapper = child(Mapper)
		names = append(names, Mapper)
	}
	if cl.Listens {
		refs.Listener = child(Listener)
		names = append(names, Listener)
	}
	for _, name := range names {
		if _, err := c.SpawnNamed(cl.Child(name, refs), name); err != nil {
			supervise.Fail(err)
		}
	}
}
