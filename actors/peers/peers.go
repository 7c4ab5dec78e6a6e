// Package peers is the supervisor of a torrent's connections: it decides whom
// to dial and when, whom to let in, and spawns one peer actor for each
// connection. Payload and requests do not pass through it.
//
// What it decides stands in connections.go and the files beside it; this file
// only carries messages.
package peers

import (
	"net/netip"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/blocklist"
	"kouzui/wire/metainfo"
	"kouzui/wire/mse"
)

// DefaultMax is how many connections a torrent has unless told otherwise.
const DefaultMax = 100

// Kinds of peer actors: those that dial, and those that adopt a link.
const (
	Dialled  = "peer"
	Accepted = "inbound-peer"
)

// Strategy is how failed peers are answered. One that dialled is restarted and
// dials again, with half the usual budget; when that is spent, it is stopped.
// One that came in is stopped: there is no address to dial.
func Strategy(usual supervise.Backoff) supervise.Strategy {
	again := usual
	again.WhenSpent = supervise.ThenStop
	if again.Budget > 1 {
		again.Budget /= 2
	}
	return supervise.ByKind(map[string]supervise.Strategy{Accepted: supervise.StopChild}, again)
}

// Config is what the supervisor is built from.
type Config struct {
	World *world.World
	Refs  messages.Refs
	Self  [20]byte // our peer id
	// Metainfo is nil while only the info hash is known: SetMetainfo brings it.
	Metainfo *metainfo.Torrent
	Port     uint16 // where we can be dialled, until SetListenPort; 0: nowhere
	Max      int    // connections
	Limits   messages.SetLimits
	// Blocklist holds the addresses that are not dialled. The listener refuses
	// connections from them.
	Blocklist *blocklist.List
	// Encryption is what the user wants of it.
	Encryption messages.EncryptionPolicy
	// NextKey returns a key that no peer of this torrent has had, whichever
	// incarnation of this actor asked for it.
	NextKey func() messages.PeerKey
	// Spawn starts a peer actor.
	Spawn func(c actor.Context, p Peer) (*actor.PID, error)
}

// Peer describes a peer actor to be spawned.
type Peer struct {
	Key     messages.PeerKey
	Addr    netip.AddrPort
	Inbound bool
	Encrypt mse.Methods     // offered to a peer that is dialled; 0: the connection is not encrypted
	Source  messages.Source // from which we have the address
	Limits  messages.SetLimits
	Port    uint16 // where we can be dialled; 0: nowhere
	// AwaitsMetainfo: what is in the torrent was not known when the peer was made.
	AwaitsMetainfo bool
}

// New builds the supervisor. All that it knows of addresses is lost when it
// dies; the torrent tells it again.
func New(c Config) actor.Actor {
	return &peers{Config: c, pids: map[messages.PeerKey]*actor.PID{}, keys: map[string]messages.PeerKey{}}
}

type peers struct {
	Config
	*connections // from Started on
	pids         map[messages.PeerKey]*actor.PID
	keys         map[string]messages.PeerKey // by the path of the actor
	dialling     supervise.Timer             // of the next dial
	telling      supervise.Timer             // of the next round of peer exchange
	ending       bool                        // the peers that stop are not replaced
}

type (
	// dialDue is sent by a timer when the next address may be dialled.
	dialDue struct{}
	// tellingDue is sent by a timer when peers may be told of each other.
	tellingDue struct{}
)

func (p *peers) Receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Started:
		p.connections = newConnections(p.Config, p.World.Chance.Source(c.Self().Id), p.World.Clock.Now())
		c.Send(p.Refs.Torrent, &messages.QueryCandidates{})
		return
	case *actor.Restarting, *actor.Stopping, *actor.Stopped:
		p.ending = true
		p.dialling.Stop()
		p.telling.Stop()
		return
	}
	p.now = p.World.Clock.Now()
	p.handle(c.Message())
	p.carryOut(c)
}

func (p *peers) handle(message any) {
	switch m := message.(type) {
	case *messages.AddCandidates:
		p.addCandidates(m.Addrs)
	case *messages.SetDialing:
		p.setDialing(m.Dial)
	case *dialDue:
		p.dial()
	case *messages.AdoptLink:
		p.admit(m)

	case *messages.PeerReady:
		p.ready(m)
	case *messages.PeerUseful:
		p.useful(m.Key)
	case *messages.PeerIntroduced:
		p.introduced(m)
	case *messages.PeersHeard:
		p.heard(m)
	case *tellingDue:
		p.tellPeers()
	case *messages.PeerGone:
		p.gone(m)
	case *actor.Terminated:
		if key, known := p.keys[m.Who.Id]; known && !p.ending {
			delete(p.keys, m.Who.Id)
			delete(p.pids, key)
			p.ended(key)
		}

	case *messages.SetMetainfo:
		p.setMetainfo(m.Torrent)
	case *messages.SetWanted:
		p.candidates.retryUseless()
		p.dial()
	case *messages.BanAddress:
		p.ban(m)
	case *messages.EvictIdlePeer:
		p.evictIdle()
	case *messages.SetLimits:
		p.limits = *m
		p.tellAll(m)
	case *messages.SetOurAddress:
		p.candidates.ours[family(m.Addr)] = m.Addr
	case *messages.SetListenPort:
		p.port = m.Port // of connections that are made from now on
	case *messages.SetPublicity:
		p.setPublicity(m)
	case *messages.ReportRates:
		p.tellAll(m)
	case *messages.QueryMetadataOffers:
		p.tellAll(m)
	case *messages.ForgetPeers:
		p.forgetPeers()
	case *messages.CloseConnections:
		p.close(m)
	}
}

// carryOut does what the core wants done.
func (p *peers) carryOut(c actor.Context) {
	for _, e := range p.out.take() {
		switch e := e.(type) {
		case spawn:
			p.spawn(c, e)
		case tell:
			c.Send(p.pids[e.key], e.message)
		case stop:
			supervise.Stop(c, p.pids[e.key], e.reason.String())
		case tellScheduler:
			c.Send(p.Refs.Scheduler, e.message)
		case tellTorrent:
			c.Send(p.Refs.Torrent, e.message)
		case tellSession:
			c.Send(p.Refs.Session, e.message)
		case connectionsExhausted:
			c.Send(p.Refs.Session, &messages.ConnectionsExhausted{})
		case reportBlocked:
			supervise.Remark(c, "blocked", event.Number("outbound", e.addrs))
			c.Send(p.Refs.Session, &messages.AddressesBlocked{Count: e.addrs})
		case refuseLink:
			e.link.Close(e.reason)
		case tellAfter:
			p.telling.SetAfter(c, p.World.Clock, e.wait, &tellingDue{})
		case dialAfter:
			p.dialling.SetAfter(c, p.World.Clock, e.wait, &dialDue{})
		}
	}
}

func (p *peers) spawn(c actor.Context, e spawn) {
	pid, err := p.Spawn(c, e.Peer)
	if err != nil { // never: no other actor has this key in its name
		if e.adopt != nil {
			e.adopt.Link.Close(err)
		}
		supervise.Fail(err)
	}
	p.pids[e.Key], p.keys[pid.Id] = pid, e.Key
	if e.publicity != nil {
		c.Send(pid, e.publicity)
	}
	if e.adopt != nil {
		c.Send(pid, e.adopt)
	}
}
