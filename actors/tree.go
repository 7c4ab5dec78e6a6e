package actors

import (
	"fmt"
	"net"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/choker"
	"kouzui/actors/client"
	"kouzui/actors/dht"
	"kouzui/actors/engine"
	"kouzui/actors/limiter"
	"kouzui/actors/listener"
	"kouzui/actors/mapper"
	"kouzui/actors/metadata"
	"kouzui/actors/peer"
	"kouzui/actors/peers"
	"kouzui/actors/runtime/fault"
	"kouzui/actors/runtime/pattern"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/scheduler"
	"kouzui/actors/session"
	"kouzui/actors/socket"
	"kouzui/actors/store"
	"kouzui/actors/torrent"
	"kouzui/actors/torrents"
	"kouzui/actors/tracker"
	"kouzui/actors/web"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// assembly knows every kind of actor: the one place where they meet. Each
// method makes the props of one actor, and says which of its members it makes.
type assembly struct {
	Options
	tree    *supervise.Tree
	self    [20]byte
	key     uint32 // by which trackers know us when our address changes (BEP 7)
	counted *restarts
	orders  *orders
	faults  *fault.Plan // nil: none
	// supervision is how failures are answered.
	supervision supervise.Supervision
	// together makes the mailboxes of the engine's actors; nil: that of the tree.
	together actor.MailboxProducer
	// keys counts the peers of one torrent, whatever restarts meanwhile: store and
	// scheduler remember peers by their keys, also when the actor peers has been
	// restarted.
	keys *atomic.Uint32
}

// world is what the actor at path may reach outside.
func (a assembly) world(path string) *world.World {
	if a.faults == nil {
		return a.World
	}
	return a.faults.World(a.World, path)
}

// strategy is that of a supervisor, as the chosen supervision has it.
func (a assembly) strategy(of func(supervise.Backoff) supervise.Strategy) supervise.Option {
	strategy := of(a.supervision.Restarts)
	if around := a.supervision.Around; around != nil {
		strategy = around(strategy)
	}
	return supervise.WithStrategy(strategy)
}

// usual is the strategy of a supervisor that answers all failures alike.
func usual(b supervise.Backoff) supervise.Strategy { return b }

func (a assembly) client() *actor.Props {
	config := client.Config{Listens: a.Listen != "", Child: a.child, Sockets: a.sockets(), DHT: a.DHT != nil, Maps: a.Listen != "" && a.MapPorts && a.World.Gateway != nil}
	return a.tree.Props("client", func() actor.Actor { return client.New(config) },
		a.strategy(client.Strategy))
}

// sockets tells for which address families there is a UDP socket.
func (a assembly) sockets() (families [2]bool) {
	if a.World.Packets != nil {
		families = session.Families(a.host())
	}
	return families
}

// dht tells for which address families there is a DHT.
func (a assembly) dht() (families [2]bool) {
	if a.DHT != nil {
		families = a.sockets()
	}
	return families
}

// host is where we listen, or would if we did.
func (a assembly) host() string {
	if a.Listen == "" {
		return a.Host
	}
	host, _, _ := net.SplitHostPort(a.Listen)
	return host
}

func (a assembly) child(name string, refs messages.Refs) *actor.Props {
	switch name {
	case client.Session:
		config := session.Config{Refs: refs, Memory: a.Memory, Keeper: a.orders, Host: a.host(), Restarts: a.counted.under}
		return a.tree.Props(name, func() actor.Actor { return session.New(config) })
	case client.Torrents:
		config := torrents.Config{
			Refs:    refs,
			Torrent: func(m *messages.StartTorrent) *actor.Props { return a.torrent(refs, m.Add, m.Share) },
		}
		return a.tree.Props(name, func() actor.Actor { return torrents.New(config) },
			a.strategy(torrents.Strategy))
	case client.Limiter:
		config := limiter.Config{World: a.World, Refs: refs, Rule: pattern.Chosen(limiter.Limiters, a.Patterns)}
		return a.tree.Props(name, func() actor.Actor { return limiter.New(config) })
	case client.Listener:
		config := listener.Config{World: a.world(refs.Listener.Id), Refs: refs, Self: a.self, Addr: a.Listen, Blocklist: a.Blocklist, Encryption: a.Encryption}
		return a.tree.Props(name, func() actor.Actor { return listener.New(config) })
	case client.Socket4, client.Socket6:
		family := messages.IPv4
		if name == client.Socket6 {
			family = messages.IPv6
		}
		config := socket.Config{World: a.world(refs.Sockets[family].Id), Session: refs.Session, DHT: refs.DHT[family]}
		return a.tree.Props(client.Socket, func() actor.Actor { return socket.New(config) })
	case client.Mapper:
		config := mapper.Config{World: a.World, Refs: refs}
		return a.tree.Props(name, func() actor.Actor { return mapper.New(config) })
	case client.DHT4, client.DHT6:
		family := messages.IPv4
		if name == client.DHT6 {
			family = messages.IPv6
		}
		before := a.DHT.Before[family]
		config := dht.Config{
			World: a.world(refs.DHT[family].Id), Refs: refs, Family: family, Bootstrap: a.DHT.Bootstrap, Nodes: before.Nodes,
			ID: before.ID, AtOnce: a.DHT.AtOnce, ReadOnly: a.DHT.ReadOnly,
		}
		return a.tree.Props(client.DHT, func() actor.Actor { return dht.New(config) })
	}
	panic("actors: a client has no child " + name)
}

func (a assembly) torrent(refs messages.Refs, add *messages.AddTorrent, share messages.Share) *actor.Props {
	a.keys = new(atomic.Uint32)
	config := torrent.Config{
		World: a.World, Refs: refs, Added: add, Port: share.Port,
		Tracker:  func(refs messages.Refs, tier int) *actor.Props { return a.tracker(refs, add, tier, share.Port) },
		Engine:   func(refs messages.Refs) *actor.Props { return a.engine(refs, add, share) },
		Metadata: func(refs messages.Refs) *actor.Props { return a.metadata(refs, add) },
	}
	return a.tree.Props("torrent", func() actor.Actor { return torrent.New(config) },
		a.strategy(torrent.Strategy))
}

func (a assembly) tracker(refs messages.Refs, add *messages.AddTorrent, tier int, port uint16) *actor.Props {
	config := tracker.Config{
		World: a.world(fmt.Sprintf("%s/tracker-%d", refs.Torrent.Id, tier)), Refs: refs, Tier: tier, URLs: add.Announce[tier], Given: add.Options.Trackers,
		InfoHash: add.InfoHash, PeerID: a.self, Key: a.key, Port: port,
	}
	return a.tree.Props("tracker", func() actor.Actor { return tracker.New(config) })
}

func (a assembly) metadata(refs messages.Refs, add *messages.AddTorrent) *actor.Props {
	config := metadata.Config{World: a.World, Refs: refs, InfoHash: add.InfoHash}
	return a.tree.Props("metadata", func() actor.Actor { return metadata.New(config) })
}

func (a assembly) engine(refs messages.Refs, add *messages.AddTorrent, share messages.Share) *actor.Props {
	if a.Together != nil {
		a.together = a.Together()
	}
	config := engine.Config{
		Refs: refs, Torrent: add.Torrent,
		Member: func(name string, refs messages.Refs, torrent *metainfo.Torrent) *actor.Props {
			return a.member(name, refs, add, torrent, share)
		},
	}
	if a.World.Fetcher != nil {
		config.WebSeed = func(seed int, refs messages.Refs, torrent *metainfo.Torrent) *actor.Props {
			return a.webSeed(seed, refs, torrent, share)
		}
	}
	return a.tree.Props("engine", func() actor.Actor { return engine.New(config) },
		a.strategy(engine.Strategy), supervise.WithMailbox(a.together))
}

func (a assembly) member(name string, refs messages.Refs, add *messages.AddTorrent, torrent *metainfo.Torrent, share messages.Share) *actor.Props {
	box := supervise.WithMailbox(a.together)
	o := add.Options
	if torrent != nil {
		o.Wanted = messages.ClipPieces(o.Wanted, torrent.PieceCount())
	}
	hashing := pattern.Chosen(store.Hashings, o.Patterns)
	switch name {
	case engine.Store:
		config := store.Config{
			World: hashing.World(a.world(refs.Store.Id)), HashWorkers: hashing.Workers, Tree: a.tree, Refs: refs, Torrent: torrent, Memory: share.Memory, Pool: a.Pool,
			Dir: o.Dir, Check: o.Check, MustExist: o.MustExist, Force: o.Force, Wanted: o.Wanted,
		}
		return a.tree.Props(name, func() actor.Actor { return store.New(config) }, box, a.strategy(usual))
	case engine.Scheduler:
		config := scheduler.Config{World: hashing.World(a.World), Refs: refs, Self: a.self, Torrent: torrent, Wanted: o.Wanted, Memory: share.Memory, Picker: o.Patterns["picker"], Rules: o.Patterns["requests"], SuperSeed: o.SuperSeed}
		return a.tree.Props(name, func() actor.Actor { return scheduler.New(config) }, box)
	case engine.Choker:
		config := choker.Config{World: a.World, Refs: refs, Algorithm: o.Patterns["choker"], Slots: o.UnchokeSlots}
		return a.tree.Props(name, func() actor.Actor { return choker.New(config) }, box)
	case engine.Peers:
		queue := pattern.Chosen(peer.Queues, o.Patterns)
		config := peers.Config{
			World: a.World, Refs: refs, Self: a.self, Metainfo: torrent, Port: share.Port, Max: o.MaxPeers, Limits: share.Limits, Blocklist: a.Blocklist, Encryption: a.Encryption,
			NextKey: a.nextKey,
			Spawn: func(c actor.Context, p peers.Peer) (*actor.PID, error) {
				return a.peer(c, refs, add, queue, p)
			},
		}
		return a.tree.Props(name, func() actor.Actor { return peers.New(config) }, box, a.strategy(peers.Strategy))
	}
	panic("actors: an engine has no member " + name)
}

func (a assembly) nextKey() messages.PeerKey { return messages.PeerKey(a.keys.Add(1)) }

func (a assembly) webSeed(seed int, refs messages.Refs, torrent *metainfo.Torrent, share messages.Share) *actor.Props {
	config := web.Config{
		World: a.world(fmt.Sprintf("%s/%s-%d", refs.Engine.Id, engine.Web, seed)), Refs: refs, Torrent: torrent, Seed: seed,
		Limits: share.Limits, Pool: a.Pool, NextKey: a.nextKey,
	}
	return a.tree.Props(engine.Web, func() actor.Actor { return web.New(config) }, supervise.WithMailbox(a.together))
}

func (a assembly) peer(c actor.Context, refs messages.Refs, add *messages.AddTorrent, queue peer.Queue, p peers.Peer) (*actor.PID, error) {
	name := fmt.Sprintf("peer-%d", p.Key)
	config := peer.Config{
		World: a.world(refs.Peers.Id + "/" + name), Refs: refs, InfoHash: add.InfoHash, Self: a.self,
		Client: "Kouzui " + Version, Port: p.Port, Key: p.Key, Addr: p.Addr, Inbound: p.Inbound, Encrypt: p.Encrypt, Source: p.Source, Limits: p.Limits,
		Queue: queue, AwaitsMetainfo: p.AwaitsMetainfo,
	}
	kind := peers.Dialled
	if p.Inbound {
		kind = peers.Accepted
	}
	props := a.tree.Props(kind, func() actor.Actor { return peer.New(config) }, supervise.WithMailbox(a.together))
	return c.SpawnNamed(props, name)
}

// newPeerID is random behind the name and version of the client (BEP 20).
func newPeerID(chance world.Chance) (id [20]byte) {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyz"
	rnd := chance.Source("peer id")
	n := copy(id[:], "-KZ0100-")
	for i := n; i < len(id); i++ {
		id[i] = letters[rnd.IntN(len(letters))]
	}
	return id
}
