// Package dht is our node of the distributed hash table (BEP 5), in which peers
// are found without a tracker: one actor for each address family (BEP 32). It
// answers other nodes, finds peers for the torrents that ask for them, and
// announces these.
//
// The core is in member.go, which has the parts: the nodes that we know
// (table.go, closest.go), how those near to something are found (lookup.go),
// queries under way (queries.go), what others are answered (answers.go,
// tokens.go, peers.go), whose addresses are believed (hosts.go), our address
// and id (address.go), how much is sent and read (pace.go), what torrents want
// (searches.go), what the program asks (questions.go), and how nodes are found
// to begin with (bootstrap.go).
package dht

import (
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/krpc"
)

// resolveTimeout is how long the name of a bootstrap node is looked up.
const resolveTimeout = 20 * time.Second

// Config is what a DHT is built from.
type Config struct {
	World     *world.World
	Refs      messages.Refs
	Family    int              // messages.IPv4 or messages.IPv6
	Bootstrap []string         // "host:port" of nodes that know others
	Nodes     []netip.AddrPort // that an earlier run knew
	ReadOnly  bool             // nobody is answered (BEP 43)
	// ID is that of an earlier run, whose neighbours know us by it; zero: none.
	ID krpc.ID
	// AtOnce has us look for nodes before the first torrent wants peers. Until
	// then we only answer.
	AtOnce bool
}

// New builds a DHT.
func New(cfg Config) actor.Actor { return &dht{Config: cfg} }

// address is that of an actor, for the core.
type address = *actor.PID

type dht struct {
	Config
	member *member
	timer  supervise.Timer // of what is due next
	// resolving has the look-ups under way, each until its answer is there.
	resolving map[*resolution]bool
}

type resolution struct {
	port   uint16
	cancel func()
}

// due: the DHT to itself, by a timer.
type due struct{}

// resolved: the world to the DHT.
type resolved struct {
	of    *resolution
	addrs []netip.Addr
}

func (d *dht) Receive(c actor.Context) {
	now := d.World.Clock.Now()
	switch m := c.Message().(type) {
	case *actor.Started:
		d.member = newMember(d.Config, d.World.Chance.Source(c.Self().Id))
		d.resolving = map[*resolution]bool{}
		c.Send(d.Refs.Session, &messages.DHTStarted{DHT: c.Self()})
		c.Send(d.socket(), &messages.QuerySocket{ReplyTo: c.Self()})
		return
	case *actor.Restarting, *actor.Stopping:
		d.stop()
		return
	case *messages.SocketReady:
		d.member.bound(m.Addr)
	case *messages.DatagramReceived:
		d.member.received(m.Addr, m.Data, now)
	case *messages.SearchPeers:
		if d.member.search(m, now) {
			c.Watch(m.Torrent)
		}
	case *messages.StopSearching:
		if torrent := d.member.stopSearching(krpc.ID(m.InfoHash)); torrent != nil {
			c.Unwatch(torrent)
		}
	case *actor.Terminated:
		d.member.gone(m.Who)
	case *messages.SetOurAddress:
		d.member.setAddress(m.Addr, now)
	case *messages.NodesListed:
		d.member.others = m.Nodes
	case *messages.AddNode:
		d.member.addContact(m.Addr)
	case *messages.QueryDHT:
		m.Reply(d.member.status(now))
		return
	case *messages.QueryDHTPeers:
		d.member.inquire(m)
	case *messages.QueryDHTNode:
		d.member.probe(m)
	case *resolved:
		delete(d.resolving, m.of)
		addrs := make([]netip.AddrPort, len(m.addrs))
		for i, a := range m.addrs {
			addrs[i] = netip.AddrPortFrom(a.Unmap(), m.of.port)
		}
		d.member.named(addrs, now)
	case *due:
	default:
		return
	}
	d.member.proceed(now)
	d.carryOut(c, now)
}

func (d *dht) socket() *actor.PID {
	return d.Refs.Sockets[d.Family]
}

// carryOut does what the core has decided.
func (d *dht) carryOut(c actor.Context, now time.Time) {
	effects := d.member.take()
	if len(effects.datagrams) > 0 {
		c.Send(d.socket(), &messages.SendDatagrams{Datagrams: effects.datagrams})
	}
	d.member.out.Flush(c.Send)
	for _, reply := range effects.replies {
		reply()
	}
	for _, name := range effects.resolve {
		d.resolve(c, name)
	}
	d.timer.SetBy(c, d.World.Clock, d.member.next(now), &due{})
}

// resolve looks up the addresses of a bootstrap node. A name that cannot be
// looked up is tried again with the next bootstrap.
func (d *dht) resolve(c actor.Context, name string) {
	host, port, err := net.SplitHostPort(name)
	number, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil {
		return // the command has checked what the user gave
	}
	this := &resolution{port: uint16(number)}
	d.resolving[this] = true
	deliver := supervise.Deliver(c)
	this.cancel = d.World.Names.Resolve(host, resolveTimeout, func(addrs []netip.Addr, _ error) {
		deliver(&resolved{this, addrs})
	})
}

func (d *dht) stop() {
	d.timer.Stop()
	for r := range d.resolving {
		r.cancel()
	}
}
