// Package peers is the supervisor of a torrent's connections: it decides whom
// to dial and when, whom to let in, and spawns one peer actor for each. Payload
// and requests pass it by.
package peers

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/blocklist"
)

const (
	// DefaultMax is how many connections a torrent has unless told otherwise.
	DefaultMax = 100

	maxHalfOpen    = 16
	crowdedPause   = time.Second
	dialsPerSecond = 20
	// One host may have a limit/maxPerHost of the connections that come in.
	maxPerHost = 2
	// A limit/keptShare are not for those that come in, while there is somebody
	// to dial.
	keptShare = 5
)

// Kinds of peer actors: those that dial, and those that adopt a link.
const (
	Dialled  = "peer"
	Accepted = "inbound-peer"
)

// Strategy is how failed peers are answered: one that dialled does so again, and
// is given up when it keeps failing, with half the usual budget; one that came
// in has no way back but to come in again.
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
	World  *world.World
	Refs   messages.Refs
	Self   [20]byte // our peer id
	Max    int      // connections
	Limits messages.SetLimits
	// Blocklist is who is not dialled; the listener keeps out who comes.
	Blocklist *blocklist.List
	// NextKey hands out the key of a new peer, which none before had, also under
	// an earlier incarnation of this actor.
	NextKey func() messages.PeerKey
	// Spawn starts the peer actor.
	Spawn func(c actor.Context, p Peer) (*actor.PID, error)
}

// Peer describes a peer actor to be spawned.
type Peer struct {
	Key     messages.PeerKey
	Addr    netip.AddrPort
	Inbound bool
	Limits  messages.SetLimits
}

// New builds the supervisor. Everything it knows of addresses is lost with it;
// the torrent tells it again.
func New(c Config) actor.Actor {
	if c.Max <= 0 {
		c.Max = DefaultMax
	}
	return &peers{Config: c, known: newCandidates(c.Max), slots: map[messages.PeerKey]*slot{}, byPID: map[string]messages.PeerKey{}}
}

// slot is a peer actor that lives.
type slot struct {
	Peer
	pid    *actor.PID
	ready  bool // handshakes exchanged
	since  time.Time
	useful bool // payload has come or gone
	id     [20]byte
	remote netip.AddrPort
	why    messages.GoneReason
	gone   bool // why is known
}

func (s *slot) host() netip.Addr { return messages.HostOf(s.remote.Addr()) }

type peers struct {
	Config
	rnd    *rand.Rand
	known  *candidates
	slots  map[messages.PeerKey]*slot
	byPID  map[string]messages.PeerKey
	wanted bool // it is known what we have: dial
	ending bool // the peers that stop are not replaced
	// disband is what the scheduler is told once nobody is left; nil: we go on.
	disband *messages.CloseConnections
	turned  bool // somebody was turned away for want of room
	crowded bool // somebody was not dialled, for the process has too many connections
	// pause is until when that is not tried again, and then with one dial; zero:
	// there was room for the last.
	pause time.Time
	timer world.Timer
	// Dials are paced by a bucket of a second.
	dials  float64
	filled time.Time
}

type dialTick struct{}

func (p *peers) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		p.rnd = p.World.Chance.Source(c.Self().Id)
		p.filled = p.World.Clock.Now()
		p.dials = dialsPerSecond
		c.Send(p.Refs.Torrent, &messages.QueryCandidates{})
	case *messages.AddCandidates:
		p.found(c, m)
		p.dial(c)
	case *messages.SetDialing:
		p.wanted = m.Dial && p.disband == nil
		p.dial(c)
		p.wantRoom(c)
	case *dialTick:
		p.timer = nil
		p.dial(c)
	case *messages.AdoptLink:
		p.adopt(c, m)
	case *messages.PeerReady:
		p.ready(c, m)
	case *messages.PeerUseful:
		if s := p.slots[m.Key]; s != nil {
			s.useful = true
		}
	case *messages.PeerGone:
		if s := p.slots[m.Key]; s != nil {
			s.why, s.gone, s.ready = m.Reason, true, false
		}
	case *actor.Terminated:
		p.terminated(c, m)
	case *messages.BanAddress:
		p.ban(c, m)
	case *messages.CloseConnections:
		p.disband, p.wanted = m, false
		for _, s := range p.inOrder() {
			supervise.Stop(c, s.pid, messages.GoneStopping.String())
		}
		p.disbanded(c)
	case *messages.ReportRates, *messages.SetLimits:
		if l, ok := m.(*messages.SetLimits); ok {
			p.Limits = *l
		}
		for _, s := range p.inOrder() {
			c.Send(s.pid, m)
		}
	case *actor.Restarting, *actor.Stopping:
		p.wanted, p.ending = false, true
		if p.timer != nil {
			p.timer.Stop()
		}
	}
}

func (p *peers) disbanded(c actor.Context) {
	if p.disband != nil && len(p.slots) == 0 {
		c.Send(p.Refs.Scheduler, p.disband)
	}
}

func (p *peers) found(c actor.Context, m *messages.AddCandidates) {
	blocked := 0
	for _, a := range m.Addrs {
		if p.Blocklist.Blocks(a.Addr.Addr()) {
			blocked++
		} else {
			p.known.add(a)
		}
	}
	if blocked > 0 {
		supervise.Remark(c, "blocked", event.Number("outbound", blocked))
		c.Send(p.Refs.Session, &messages.AddressesBlocked{Count: blocked})
	}
}

// dial spawns peers for the best addresses while the limits allow, and sets the
// timer for when they will.
func (p *peers) dial(c actor.Context) {
	now := p.World.Clock.Now()
	p.dials = min(p.dials+now.Sub(p.filled).Seconds()*dialsPerSecond, dialsPerSecond)
	p.filled = now
	if p.wanted && p.pause.After(now) {
		p.wake(c, p.pause.Sub(now))
		return
	}
	halfOpen := maxHalfOpen
	if !p.pause.IsZero() {
		halfOpen = 1
	}
	for p.wanted && len(p.slots) < p.Max && p.halfOpen() < halfOpen {
		best, due := p.known.next(now, p.rnd)
		if best == nil {
			if !due.IsZero() {
				p.wake(c, due.Sub(now))
			}
			return
		}
		if p.dials < 1 {
			p.wake(c, time.Second/dialsPerSecond)
			return
		}
		p.dials--
		p.known.dialled(best.addr, now)
		if _, err := p.spawn(c, best.addr, false); err != nil {
			p.known.gone(best.addr, messages.GoneFailed, now, p.rnd)
		}
	}
}

// wantRoom tells the scheduler if somebody would come in the place of a peer that
// is of no use.
func (p *peers) wantRoom(c actor.Context) {
	if p.wanted && len(p.slots) >= p.Max {
		best, _ := p.known.next(p.World.Clock.Now(), p.rnd)
		p.turned = p.turned || best != nil && best.failures == 0
	}
	if p.turned {
		c.Send(p.Refs.Scheduler, &messages.EvictIdlePeer{})
	}
	if p.crowded {
		c.Send(p.Refs.Session, &messages.ConnectionsExhausted{})
	}
	p.turned, p.crowded = false, false
}

func (p *peers) wake(c actor.Context, d time.Duration) {
	if p.timer != nil {
		p.timer.Stop()
	}
	p.timer = supervise.SendAfter(c, p.World.Clock, d, &dialTick{})
}

func (p *peers) halfOpen() (n int) {
	for _, s := range p.slots {
		if !s.Inbound && !s.ready {
			n++
		}
	}
	return n
}

func (p *peers) spawn(c actor.Context, addr netip.AddrPort, inbound bool) (*slot, error) {
	s := &slot{Peer: Peer{Key: p.NextKey(), Addr: addr, Inbound: inbound, Limits: p.Limits}, remote: addr}
	pid, err := p.Spawn(c, s.Peer)
	if err != nil {
		return nil, err
	}
	s.pid = pid
	p.slots[s.Key] = s
	p.byPID[pid.Id] = s.Key
	return s, nil
}

// inOrder is all that live, those spawned first in front: what is done to many
// is done in the same order in every run of a simulated world.
func (p *peers) inOrder() []*slot {
	return slices.SortedFunc(maps.Values(p.slots), func(a, b *slot) int { return cmp.Compare(a.Key, b.Key) })
}

// terminated frees the slot. The reason has come in PeerGone; a peer that went
// without one was given up by its supervisor.
func (p *peers) terminated(c actor.Context, m *actor.Terminated) {
	key, known := p.byPID[m.Who.Id]
	if !known || p.ending {
		return
	}
	s := p.slots[key]
	delete(p.byPID, m.Who.Id)
	delete(p.slots, key)
	why := s.why
	switch {
	case !s.gone:
		why = messages.GoneFailed
	case why == messages.GoneHandshake && s.id != [20]byte{}:
		// It had greeted us before: it is not a stranger that speaks something
		// else, but holds our lost connection for alive.
		why = messages.GoneClosed
	}
	if !s.Inbound {
		p.pause = time.Time{}
		if why == messages.GoneCrowded {
			p.pause, p.crowded = p.World.Clock.Now().Add(crowdedPause), true
		}
		p.known.gone(s.Addr, why, p.World.Clock.Now(), p.rnd)
	}
	p.dial(c)
	p.disbanded(c)
}

// ban lets go whom it is about, and bars its id behind its host, unless somebody
// else came in from there with that, who may have been robbed of it.
func (p *peers) ban(c actor.Context, m *messages.BanAddress) {
	shared := false
	for _, s := range p.inOrder() {
		if s.remote == m.Addr {
			c.Send(s.pid, &messages.Disconnect{Reason: messages.GoneBanned})
		} else if s.Inbound && s.ready && s.id == m.ID && s.host() == messages.HostOf(m.Addr.Addr()) {
			shared = true
		}
	}
	if !m.Inbound {
		p.known.ban(m.Addr)
	}
	if !shared {
		p.known.bar(m.Addr.Addr(), m.ID)
	}
}
