// Package listener accepts connections, reads their handshakes (BEP 3), and
// hands each connection to the torrent that its handshake names. A connection
// is closed if its torrent is not here, if no handshake comes within ten
// seconds, or, before anything is read, if its address is on the user's
// blocklist.
//
// The link of an encrypted handshake (MSE) asks which torrent it is for, by a
// key; the listener keeps the keys of its routes.
//
// A peer that sends its peer id only after it has our handshake, as trackers do
// that test whether we can be dialled, gets our handshake from the listener.
// To all others their peer actor sends it.
//
// A socket that cannot be bound does not make this actor fail: the listener
// reports ListenerFailed and tries again. The session owns the routes, and
// sends them all to a listener that was restarted, once it is bound.
// Connections that come before their routes wait: some clients dial an address
// once and never again. Package files: gate.go bounds the connections that wait
// for a handshake, address.go lists the addresses to be tried.
package listener

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/blocklist"
	"kouzui/wire/frame"
	"kouzui/wire/mse"
)

const (
	acceptsPerSecond = 1000 // the gate closes most of a flood at once
	handshakeTimeout = 10 * time.Second
	evictPause       = time.Second // between two EvictIdlePeer

	// A bind that failed is tried again after firstRetry, then twice that, up
	// to lastRetry, less up to a quarter by chance.
	firstRetry = time.Second
	lastRetry  = time.Minute
	jitter     = 0.25
)

var (
	errUnknown = errors.New("this client does not have the torrent")
	errBlocked = errors.New("the address is on the blocklist")
)

// Config is what a listener is built from.
type Config struct {
	World *world.World
	Refs  messages.Refs
	Self  [20]byte // our peer id
	// Addr is where to listen: "host:port", where port may be a range as in
	// "6881-6889", of which the first free one is taken, or 0 for any.
	Addr string
	// Blocklist is the addresses whose connections are closed.
	Blocklist *blocklist.List
	// Encryption is what the user wants of it.
	Encryption messages.EncryptionPolicy
}

// New builds a listener.
func New(cfg Config) actor.Actor { return &listener{Config: cfg} }

type listener struct {
	Config
	routes   map[[20]byte]*actor.PID // each watched
	secret   map[[20]byte][20]byte   // info hashes of the routes, by their keys in encrypted handshakes
	before   netip.AddrPort          // where we were bound in this run, if ever
	failures int                     // to bind, since we last were
	rebind   supervise.Timer
	rand     *rand.Rand
	socket   *socket   // nil: not bound
	asked    time.Time // when EvictIdlePeer was sent last
}

// socket is a bound socket, and the gate behind it. A listener that has lost
// its socket binds another: what still comes of the lost one is ignored.
type socket struct {
	world.Listener
	gate   *gate
	routed bool     // all routes have come
	held   []waiter // handshakes that wait for the routes; their links are in gate
}

// waiter is a handshake that has come so far that its torrent is looked up.
type waiter interface {
	of() messages.Link
	// look goes on, with the routes as they are.
	look(c actor.Context, l *listener)
}

func (m *greeted) of() messages.Link { return m.link }
func (m *sought) of() messages.Link  { return m.link }

func (m *greeted) look(c actor.Context, l *listener) { l.direct(c, m) }
func (m *sought) look(_ actor.Context, l *listener)  { l.find(m) }

// What a socket tells its listener.
type (
	accepted struct {
		on   *socket
		link messages.Link
	}
	greeted struct {
		on        *socket
		link      messages.Link
		handshake frame.Handshake
		err       error
		idLacks   bool // all of the handshake but the peer id has come
	}
	// sought: an encrypted handshake waits to be told which torrent it is for.
	sought struct {
		on     *socket
		link   messages.Link
		key    [20]byte
		answer func(infoHash [20]byte, found bool)
	}
	blocked    struct{ on *socket }
	turnedAway struct{ on *socket } // a connection: the process has too many
	lost       struct {
		on  *socket
		err error
	}
)

// bindAgain: the listener to itself, when it is time to try again.
type bindAgain struct{}

func (l *listener) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		l.routes, l.secret = map[[20]byte]*actor.PID{}, map[[20]byte][20]byte{}
		l.rand = l.World.Chance.Source(c.Self().Id)
		c.Send(l.Refs.Session, &messages.ListenerStarted{})
	case *messages.Listen:
		if l.socket != nil {
			c.Send(l.Refs.Session, &messages.ListenerReady{Addr: l.socket.Addr()})
			return
		}
		l.before = m.Before
		l.bind(c)
	case *bindAgain:
		l.bind(c)
	case *accepted:
		if m.on == l.socket {
			l.receive(c, m.link)
		}
	case *blocked:
		if m.on == l.socket {
			supervise.Remark(c, "blocked", event.Number("inbound", 1))
			c.Send(l.Refs.Session, &messages.AddressesBlocked{Inbound: true, Count: 1})
		}
	case *turnedAway:
		if now := l.World.Clock.Now(); m.on == l.socket && now.Sub(l.asked) >= evictPause {
			l.asked = now
			c.Send(l.Refs.Session, &messages.ConnectionsExhausted{})
		}
	case *greeted:
		if m.on == l.socket {
			l.direct(c, m)
		}
	case *sought:
		if m.on == l.socket {
			l.find(m)
		}
	case *lost:
		if m.on == l.socket {
			l.release()
			l.failed(c, m.err)
		}
	case *messages.RouteTorrent:
		l.route(c, m)
	case *messages.RefuseUnrouted:
		l.resume(c)
	case *actor.Terminated:
		for hash, torrent := range l.routes {
			if torrent.Equal(m.Who) {
				l.forget(hash)
			}
		}
	case *actor.Restarting, *actor.Stopping:
		l.release()
	}
}

// bind takes the first address that is free. The first try is for the address
// that was bound before alone.
func (l *listener) bind(c actor.Context) {
	if l.socket != nil {
		return
	}
	l.rebind.Stop()
	list, err := candidates(l.Addr, l.before)
	if err != nil {
		c.Send(l.Refs.Session, &messages.ListenerFailed{Err: err}) // no later try would succeed
		return
	}
	if l.before.IsValid() && l.failures == 0 {
		list = list[:1]
	}
	var first error
	for _, addr := range list {
		if err := l.listen(c, addr); err == nil {
			return
		} else if first == nil {
			first = err
		}
	}
	if len(list) > 1 {
		first = fmt.Errorf("no port of %s is free: %w", l.Addr, first)
	}
	l.failed(c, first)
}

func (l *listener) listen(c actor.Context, addr string) error {
	s := &socket{gate: newGate()}
	deliver := supervise.Deliver(c)
	accept := func(link messages.Link) {
		if link == nil {
			deliver(&turnedAway{s})
		} else if l.Blocklist.Blocks(link.Remote().Addr()) {
			link.Close(errBlocked)
			deliver(&blocked{s})
		} else if s.gate.enter(link, l.World.Clock.Now()) {
			deliver(&accepted{s, link})
		}
	}
	bound, err := l.World.Network.Listen(addr, acceptsPerSecond, accept, func(err error) { deliver(&lost{s, err}) })
	if err != nil {
		return err
	}
	s.Listener = bound
	l.socket, l.before, l.failures = s, bound.Addr(), 0
	c.Send(l.Refs.Session, &messages.ListenerReady{Addr: bound.Addr()})
	return nil
}

func (l *listener) failed(c actor.Context, err error) {
	pause := min(firstRetry<<min(l.failures, 10), lastRetry)
	l.failures++
	pause -= time.Duration(jitter * l.rand.Float64() * float64(pause))
	l.rebind.SetAfter(c, l.World.Clock, pause, &bindAgain{})
	c.Send(l.Refs.Session, &messages.ListenerFailed{Err: err})
}

func (l *listener) receive(c actor.Context, link messages.Link) {
	deliver, on := supervise.Deliver(c), l.socket
	link.Encrypt(messages.Encryption{
		Methods: l.Encryption.Methods(), Required: l.Encryption == messages.RequireEncryption,
		Find: func(key [20]byte, answer func([20]byte, bool)) { deliver(&sought{on, link, key, answer}) },
	})
	link.ReadHandshake(handshakeTimeout, func(h frame.Handshake) {
		deliver(&greeted{on: on, link: link, handshake: h, idLacks: true})
	}, func(h frame.Handshake, err error) {
		deliver(&greeted{on: on, link: link, handshake: h, err: err})
	})
}

// find tells an encrypted handshake which torrent it is for.
func (l *listener) find(m *sought) {
	infoHash, found := l.secret[m.key]
	if !found && !l.socket.routed {
		l.socket.hold(m)
		return
	}
	m.answer(infoHash, found)
}

// direct hands a link to its torrent, which owns the link from then on. While
// the peer id is missing, the listener answers, and goes on waiting.
func (l *listener) direct(c actor.Context, m *greeted) {
	s, torrent := l.socket, l.routes[m.handshake.InfoHash]
	if m.err == nil && torrent == nil {
		if !s.routed {
			s.hold(m)
			return
		}
		m.err = errUnknown
	}
	if m.err == nil && m.idLacks {
		m.link.SendHandshake(frame.Ours(m.handshake.InfoHash, l.Self))
		return
	}
	s.gate.leave(m.link)
	if m.err != nil {
		m.link.Close(m.err)
		return
	}
	c.Send(torrent, &messages.AdoptLink{Link: m.link, Handshake: m.handshake})
}

// resume directs the connections that came before the routes.
func (l *listener) resume(c actor.Context) {
	if l.socket == nil {
		return
	}
	held := l.socket.held
	l.socket.routed, l.socket.held = true, nil
	for _, m := range held {
		m.look(c, l)
	}
}

func (l *listener) route(c actor.Context, m *messages.RouteTorrent) {
	if old := l.routes[m.InfoHash]; old != nil {
		c.Unwatch(old)
		l.forget(m.InfoHash)
	}
	if m.Torrent != nil {
		c.Watch(m.Torrent)
		l.routes[m.InfoHash], l.secret[mse.TorrentKey(m.InfoHash)] = m.Torrent, m.InfoHash
	}
}

func (l *listener) forget(infoHash [20]byte) {
	delete(l.routes, infoHash)
	delete(l.secret, mse.TorrentKey(infoHash))
}

// release closes the socket, and the links that no torrent has taken over.
func (l *listener) release() {
	l.rebind.Stop()
	if l.socket != nil {
		l.socket.Close()
		l.socket.gate.close()
		l.socket = nil
	}
}
