// Package tracker announces one torrent to the trackers of one tier (BEP 3,
// BEP 12), for ever: a tracker that does not answer is tried again.
//
// The intervals that trackers ask for hold through restarts of this actor too:
// the torrent remembers them, and tells each new incarnation. When to announce
// what is decided in schedule.go and, for the end, in end.go; how a tracker is
// asked over UDP (BEP 15), in udp.go.
package tracker

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// noPort is told to trackers when nobody can dial us: they refuse port 0.
const noPort = 1

// Config is what a tracker is built from.
type Config struct {
	World    *world.World
	Refs     messages.Refs
	Tier     int
	URLs     []string
	Given    []string // those URLs that the user gave, maybe with others; the rest is a stranger's
	InfoHash metainfo.Hash
	PeerID   [20]byte
	Key      uint32 // the same for all trackers of a run
	Port     uint16 // where peers can dial us, until SetListenPort; 0: nowhere
}

// New builds a tracker.
func New(cfg Config) actor.Actor { return &tracker{Config: cfg} }

type tracker struct {
	Config
	schedule *schedule
	known    connections // with trackers of UDP
	rand     *rand.Rand
	call     *call   // under way; nil: none
	ending   *ending // nil: not asked to end

	timer    supervise.Timer // of the next wake
	resend   supervise.Timer // of askAgain
	halfTime supervise.Timer
	timeUp   supervise.Timer
}

// call is one announce.
type call struct {
	url    string
	from   world.Origin
	event  announce.Event
	cancel func()
	udp    *udpAnnounce // nil: the tracker is asked over HTTP, or its name is looked up
}

// What the world answers a call. Of a call that is not under way any more it is
// ignored.
type (
	answered struct {
		call  *call
		reply announce.Reply
		err   error
	}
	resolved struct {
		call    *call
		request announce.Request
		server  udpServer
		until   time.Time
		addrs   []netip.Addr
		err     error
	}
)

// The tracker to itself, by timers.
type (
	wake     struct{} // an announce may be due
	askAgain struct{} // a packet may be due
	halfTime struct{} // half of the time for the end has passed
	timeUp   struct{} // all of it
)

func (t *tracker) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		t.rand = t.World.Chance.Source(c.Self().Id)
		t.schedule, t.known = newSchedule(t.URLs, t.rand), connections{}
		c.Send(t.Refs.Torrent, &messages.TrackerReady{Tier: t.Tier})
	case *messages.StartAnnouncing:
		t.schedule.start(m)
		t.proceed(c)
	case *messages.PauseAnnouncing:
		t.schedule.pause()
		t.proceed(c)
	case *messages.SetTotals:
		t.schedule.setTotals(m)
		t.proceed(c)
	case *messages.SetListenPort:
		t.Port = m.Port
	case *wake:
		t.proceed(c)
	case *answered:
		if m.call == t.call {
			t.finish(c, m)
		}
	case *resolved:
		if m.call == t.call {
			t.ask(c, m)
		}
	case *askAgain:
		t.follow(c, t.call.udp.proceed(t.World.Clock.Now()))
	case *messages.DatagramReceived:
		if t.call != nil && t.call.udp != nil {
			t.follow(c, t.call.udp.received(m.Addr, m.Data, t.World.Clock.Now()))
		}
	case *messages.DatagramsUnsent:
		if t.call != nil && t.call.udp != nil {
			t.follow(c, t.call.udp.unsent(m.Transaction, m.Err, t.World.Clock.Now()))
		}
	case *messages.StopAnnouncing:
		t.end(c, m.Within)
	case *halfTime:
		if !t.ending.done {
			t.hurry(c)
		}
	case *timeUp:
		if !t.ending.done {
			t.ended(c)
		}
	case *actor.Restarting, *actor.Stopping:
		t.hangUp()
		t.timer.Stop()
		t.stopTimers()
	}
}

// proceed announces what is due, and sets the timer for what is not yet.
func (t *tracker) proceed(c actor.Context) {
	if t.call != nil {
		return
	}
	now := t.World.Clock.Now()
	if t.ending != nil {
		if t.ending.done {
			return
		}
		if url, r, within, ok := t.ending.last(t.schedule, now); ok {
			t.announce(c, url, r, within)
		} else {
			t.ended(c)
		}
		return
	}
	due, ok := t.schedule.due()
	switch {
	case !ok:
		t.timer.Stop()
	case due.After(now):
		t.timer.SetAt(c, t.World.Clock, due, &wake{})
	default:
		t.timer.Stop()
		url, r := t.schedule.request(now)
		t.announce(c, url, r, t.schedule.timeout())
	}
}

func (t *tracker) announce(c actor.Context, url string, r announce.Request, within time.Duration) {
	r.InfoHash, r.PeerID, r.Key, r.Port = t.InfoHash, t.PeerID, t.Key, cmp.Or(t.Port, noPort)
	supervise.Remark(c, "announce", event.Text("host", host(url)), event.Text("event", r.Event.String()))
	this := &call{url: url, event: r.Event, cancel: func() {}}
	t.call = this
	if slices.Contains(t.Given, url) {
		this.from = world.FromUser
	}
	deliver := supervise.Deliver(c)
	if !isUDP(url) {
		this.cancel = t.World.Trackers.Announce(url, this.from, r, within, func(reply announce.Reply, err error) {
			deliver(&answered{this, reply, err})
		})
		return
	}
	server, err := parseUDP(url)
	if err != nil {
		deliver(&answered{this, announce.Reply{}, &world.AnnounceError{Phase: world.PhaseURL, Err: err}})
		return
	}
	until := t.World.Clock.Now().Add(within)
	this.cancel = t.World.Names.Resolve(server.host, within, func(addrs []netip.Addr, err error) {
		deliver(&resolved{this, r, server, until, addrs, err})
	})
}

// ask begins to ask a tracker over UDP whose name has been looked up.
func (t *tracker) ask(c actor.Context, m *resolved) {
	if m.err != nil {
		phase := world.PhaseDNS
		if errors.Is(m.err, world.ErrProxied) {
			phase = world.PhaseConnect // nothing was looked up
		}
		t.finish(c, &answered{m.call, announce.Reply{}, &world.AnnounceError{Phase: phase, Err: m.err}})
		return
	}
	now := t.World.Clock.Now()
	begin, reason := candidates(m.addrs, m.server.port,
		func(a netip.Addr) bool { return t.Refs.Sockets[messages.Family(a)] != nil },
		func(a netip.Addr) (time.Duration, error) {
			return t.World.Trackers.Permit(m.call.url, m.call.from, a, m.until.Sub(now))
		}, now)
	t.call.udp = &udpAnnounce{known: t.known, rand: t.rand, request: m.request, path: m.server.path, until: m.until, err: reason}
	t.follow(c, t.call.udp.start(now, begin))
}

// follow does what an announce over UDP wants done.
func (t *tracker) follow(c actor.Context, step udpStep) {
	t.call.cancel()
	for _, p := range step.send {
		c.Send(t.Refs.Sockets[messages.Family(p.to.Addr())], &messages.SendDatagrams{
			Datagrams: []messages.Datagram{{Addr: p.to, Data: p.data}},
			From:      c.Self(), Transaction: p.transaction, Until: p.until,
		})
	}
	if !step.done {
		t.resend.SetAt(c, t.World.Clock, step.wake, &askAgain{})
		t.call.cancel = t.resend.Stop
		return
	}
	if step.err == nil {
		t.World.Trackers.LeaveOut(&step.reply, step.from.Addr())
	}
	t.finish(c, &answered{t.call, step.reply, step.err})
}

// finish takes the outcome of the announce under way.
func (t *tracker) finish(c actor.Context, m *answered) {
	t.call = nil
	t.learn(c, m)
	t.proceed(c)
}

// end begins the end. A torrent that asks again gets its answer again.
func (t *tracker) end(c actor.Context, within time.Duration) {
	if t.ending != nil {
		if t.ending.done {
			t.ended(c)
		}
		return
	}
	t.timer.Stop()
	t.ending = &ending{until: t.World.Clock.Now().Add(within)}
	t.halfTime.SetAfter(c, t.World.Clock, within/2, &halfTime{})
	t.timeUp.SetAfter(c, t.World.Clock, within, &timeUp{})
	t.proceed(c)
}

func (t *tracker) hurry(c actor.Context) {
	t.ending.hurry = true
	if t.call != nil && t.call.event != announce.Stopped {
		t.hangUp()
		t.proceed(c)
	}
}

// ended tells the torrent; nothing is announced after that.
func (t *tracker) ended(c actor.Context) {
	t.hangUp()
	t.stopTimers()
	t.ending.done = true
	c.Send(t.Refs.Torrent, &messages.AnnouncingStopped{Tier: t.Tier})
}

// learn takes the reply to an announce, or the reason why there is none.
func (t *tracker) learn(c actor.Context, m *answered) {
	if m.call.event == announce.Stopped {
		t.ended(c)
		return
	}
	now := t.World.Clock.Now()
	r := &m.reply
	if r.Failure != "" { // an announcer may give an error besides
		t.failed(c, m, r, &world.AnnounceError{Phase: world.PhaseFailure, Err: errors.New(metainfo.MaskIn(r.Failure, m.call.url))})
		return
	}
	if m.err != nil {
		t.failed(c, m, nil, m.err)
		return
	}
	supervise.Remark(c, "announce_replied", event.Number("peers", len(r.Peers)))
	t.schedule.replied(now, m.call.event, r)
	c.Send(t.Refs.Torrent, &messages.TrackerReplied{
		Tier: t.Tier, URL: metainfo.MaskURL(m.call.url), Event: m.call.event,
		Warning: metainfo.MaskIn(r.Warning, m.call.url), Seeders: r.Seeders, Leechers: r.Leechers, Peers: len(r.Peers),
		Next: t.schedule.regular(), Earliest: t.schedule.earliest, External: r.External,
	})
	if len(r.Peers) > 0 {
		found := &messages.PeersFound{}
		for _, p := range r.Peers {
			found.Addrs = append(found.Addrs, messages.PeerAddr{Addr: p.Addr, Source: messages.TrackerTier(t.Tier)})
		}
		c.Send(t.Refs.Torrent, found)
	}
}

func (t *tracker) failed(c actor.Context, m *answered, r *announce.Reply, err error) {
	exhausted := t.schedule.failed(t.World.Clock.Now(), r, t.rand)
	if t.ending != nil {
		t.ending.hurry = true // `completed` would not get through either
	}
	var phase world.Phase
	if e, ok := errors.AsType[*world.AnnounceError](err); ok {
		phase = e.Phase
	}
	supervise.Remark(c, "announce_failed", event.Text("phase", string(phase)))
	c.Send(t.Refs.Torrent, &messages.TrackerFailed{
		Tier: t.Tier, URL: metainfo.MaskURL(m.call.url), Event: m.call.event,
		Phase: string(phase), Err: err,
		Next: t.schedule.nextTry(), Exhausted: exhausted,
	})
}

// host is the part of a tracker's URL that may be shown to others: path and
// query may hold a key that names the user.
func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}

// hangUp ends the announce under way, if there is one.
func (t *tracker) hangUp() {
	if t.call != nil {
		t.call.cancel()
		t.call = nil
	}
}

func (t *tracker) stopTimers() {
	t.halfTime.Stop()
	t.timeUp.Stop()
}
