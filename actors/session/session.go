// Package session runs the torrents that the user wants: it takes the commands,
// has torrents started and stopped, shares memory and rates among them, keeps
// the listener's routes, and tells the user what becomes of them.
//
// A session may die at any time; torrents go on meanwhile. What the user has
// asked for lies with the Keeper, outside the tree. The next session recalls
// it, asks torrents and listener what runs, and starts what is missing.
package session

import (
	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/messages"
)

// Config is what a session is built from.
type Config struct {
	Refs   messages.Refs
	Memory int64 // bytes of payload at a time, for all torrents together
	Keeper Keeper
	// Host is where we listen, or would if we did; empty: at all addresses.
	Host string
	// Restarts counts the restarts of actors at or below a path.
	Restarts func(path string) int
}

// Keeper is the program's side of a session, outside the tree. Its methods must
// not block.
type Keeper interface {
	// Recall tells what the user wants, and what was last heard of it.
	Recall() Recollection
	// Notify takes the events for the user: Progress, TorrentCompleted,
	// TorrentDataChanged, TorrentMetainfoFound, TorrentAnnounced,
	// TorrentPiecesVerified, TorrentPeerBanned, TorrentWebSeedDropped,
	// AddressesBlocked, SendingMeasured, ListenerReady, ListenerFailed,
	// SocketReady, SocketFailed and DHTReport.
	Notify(event any)
	// End takes the outcome of a run, TorrentDone or TorrentFailed. If two
	// sessions bring it, the second is ignored.
	End(run uint64, outcome any)
}

// New builds a session.
func New(c Config) actor.Actor {
	return &session{registry: newRegistry(c.Refs, c.Memory, c.Host, c.Restarts), keeper: c.Keeper}
}

// address is that of an actor, for the core.
type address = *actor.PID

type session struct {
	registry *registry
	keeper   Keeper
}

// divide: the session to itself, so that many changes are followed by one
// division of the memory.
type divide struct{}

func (s *session) Receive(c actor.Context) {
	r := s.registry
	switch m := c.Message().(type) {
	case *actor.Started:
		r.recall(s.keeper.Recall())
		if supervise.Incarnation(c) > 1 {
			// In the first life the siblings start as well, and report by themselves.
			r.ask()
		}

	case *messages.AddTorrent:
		r.add(m)
	case *messages.SetMetainfo:
		r.setMetainfo(m)
	case *messages.SetWanted:
		r.setWanted(m)
	case *messages.StopTorrent:
		r.stop(m)
	case *messages.SetLimits:
		r.limit(*m)

	case *messages.QueryStatus:
		r.tellStatus(m)
	case *messages.QueryFiles:
		r.pass(m.InfoHash, m)
	case *messages.QueryTrackers:
		r.pass(m.InfoHash, m)
	case *messages.SetUrgent:
		r.pass(m.InfoHash, m)
	case *messages.QueryContent:
		r.pass(m.InfoHash, m)
	case *messages.QueryPeers:
		r.pass(m.InfoHash, m)
	case *messages.QueryDHT:
		r.askDHT(m.Family, m)
	case *messages.QueryDHTPeers:
		r.askDHT(m.Family, m)
	case *messages.QueryDHTNode:
		r.askDHT(messages.Family(m.Addr.Addr()), m)
	case *messages.QueryStopped:
		c.Send(r.refs.Torrents, m)

	case *messages.QueryUnmapped:
		r.endMapping(m)

	case *messages.LimiterReady:
		r.limit(r.limits)
	case *messages.ListenerStarted:
		r.listen()
	case *messages.ListenerReady:
		r.listening(m)
	case *messages.ListenerFailed:
		r.notListening(m)
	case *messages.SocketStarted:
		r.bindSockets()
	case *messages.SocketReady:
		r.sockets[messages.Family(m.Addr.Addr())] = m.Addr
		r.notify(m)
	case *messages.MapperStarted:
		r.tellMapper(r.wantedMapping())
	case *messages.PortMapped:
		r.portMapped(m)
	case *messages.ConnectionsExhausted:
		r.evict()
	case *messages.DHTStarted:
		r.dhtStarted(m)
	case *messages.DHTReport:
		r.dhtReported(m)

	case *messages.TorrentsListed:
		r.listed(m)
	case *messages.TorrentStarted:
		r.started(m)
	case *messages.Progress:
		r.progress(m)
	case *messages.TorrentCompleted:
		r.completed(m)
	case *messages.TorrentDataChanged:
		r.dataChanged(m)
	case *messages.TorrentMetainfoFound:
		r.metainfoFound(m)
	case *messages.AddressReported:
		r.addressReported(m)
	case *messages.TorrentAnnounced:
		r.announced(m)
	case *messages.TorrentPiecesVerified, *messages.TorrentPeerBanned, *messages.TorrentWebSeedDropped, *messages.AddressesBlocked,
		*messages.SendingMeasured, *messages.SocketFailed:
		r.notify(m)
	case *messages.TorrentEnded:
		r.ended(m.Run, m.InfoHash, m.Outcome)
	case *divide:
		r.divide()
	}
	s.carryOut(c)
}

// carryOut does what the core has decided. The keeper hears of it first: what a
// session that dies here does not get to send, the next one sends.
func (s *session) carryOut(c actor.Context) {
	effects := s.registry.take()
	for _, event := range effects.events {
		if end, is := event.(*outcome); is {
			s.keeper.End(end.run, end.word)
		} else {
			s.keeper.Notify(event)
		}
	}
	s.registry.out.Flush(c.Send)
	if effects.divide {
		c.Send(c.Self(), &divide{})
	}
}
