// Package tracker announces one torrent to the trackers of one tier (BEP 3,
// BEP 12), for ever: a tracker that does not answer is tried again.
//
// It keeps to what trackers ask for, through its own restarts too: what it must
// not forget, the torrent tells it again.
package tracker

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net/url"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// noPort stands for the port of who cannot be dialled: trackers refuse 0.
const noPort = 1

// Config is what a tracker is built from.
type Config struct {
	World    *world.World
	Refs     messages.Refs
	Tier     int
	URLs     []string
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
	rand     *rand.Rand
	call     *call  // under way
	alarm    *alarm // set
	ending   *ending
}

// call is one announce. What comes of one that is not under way any more is
// ignored.
type call struct {
	url    string
	event  announce.Event
	cancel func()
}

// answered: the announcer to the tracker.
type answered struct {
	call  *call
	reply announce.Reply
	err   error
}

// alarm: the tracker to itself, when an announce may be due. Only the one set
// last counts.
type alarm struct {
	at    time.Time
	timer world.Timer
}

func (t *tracker) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		t.rand = t.World.Chance.Source(c.Self().Id)
		t.schedule = newSchedule(t.URLs, t.rand)
		c.Send(t.Refs.Torrent, &messages.TrackerReady{Tier: t.Tier})
	case *messages.StartAnnouncing:
		t.schedule.start(m)
		t.proceed(c)
	case *messages.PauseAnnouncing:
		t.schedule.standBy()
		t.proceed(c)
	case *messages.SetTotals:
		t.schedule.tell(m)
		t.proceed(c)
	case *messages.SetListenPort:
		t.Port = m.Port
	case *alarm:
		if m == t.alarm {
			t.alarm = nil
			t.proceed(c)
		}
	case *answered:
		if m.call == t.call {
			t.call = nil
			t.learn(c, m)
			t.proceed(c)
		}
	case *messages.StopAnnouncing:
		t.end(c, m.Within)
	case *halfTime:
		if m.of == t.ending && !m.of.done {
			t.hurry(c)
		}
	case *lapse:
		if m.of == t.ending && !m.of.done {
			t.ended(c)
		}
	case *actor.Restarting, *actor.Stopping:
		t.hangUp()
		t.disarm()
		t.ending.stop()
	}
}

// proceed announces what is due, and sets the alarm for what is not yet.
func (t *tracker) proceed(c actor.Context) {
	if t.call != nil {
		return
	}
	if t.ending != nil {
		t.windUp(c)
		return
	}
	due, ok := t.schedule.due()
	now := t.World.Clock.Now()
	switch {
	case !ok:
		t.disarm()
	case due.After(now):
		if t.alarm == nil || !t.alarm.at.Equal(due) {
			t.disarm()
			t.alarm = &alarm{at: due}
			t.alarm.timer = supervise.SendAfter(c, t.World.Clock, due.Sub(now), t.alarm)
		}
	default:
		t.disarm()
		url, r := t.schedule.next(now)
		t.announce(c, url, r, t.schedule.patience())
	}
}

func (t *tracker) announce(c actor.Context, url string, r announce.Request, within time.Duration) {
	r.InfoHash, r.PeerID, r.Key, r.Port = t.InfoHash, t.PeerID, t.Key, cmp.Or(t.Port, noPort)
	supervise.Remark(c, "announce", supervise.Text("host", host(url)), supervise.Text("event", r.Event.String()))
	this := &call{url: url, event: r.Event}
	t.call = this
	deliver := supervise.Deliver(c)
	this.cancel = t.World.Trackers.Announce(url, r, within, func(reply announce.Reply, err error) {
		deliver(&answered{this, reply, err})
	})
}

// learn takes a reply, or the lack of one.
func (t *tracker) learn(c actor.Context, m *answered) {
	if m.call.event == announce.Stopped {
		t.ended(c)
		return
	}
	now := t.World.Clock.Now()
	r := &m.reply
	if r.Failure != "" { // with it the announcer may give an error, too
		t.failed(c, m, r, &world.AnnounceError{Phase: world.PhaseFailure, Err: errors.New(metainfo.MaskIn(r.Failure, m.call.url))})
		return
	}
	if m.err != nil {
		t.failed(c, m, nil, m.err)
		return
	}
	supervise.Remark(c, "announce_replied", supervise.Number("peers", len(r.Peers)))
	t.schedule.replied(now, m.call.event, r)
	if len(r.Peers) > 0 {
		found := &messages.PeersFound{}
		for _, p := range r.Peers {
			found.Addrs = append(found.Addrs, messages.PeerAddr{Addr: p.Addr, Source: messages.TrackerTier(t.Tier)})
		}
		c.Send(t.Refs.Torrent, found)
	}
	c.Send(t.Refs.Torrent, &messages.TrackerReplied{
		Tier: t.Tier, URL: metainfo.MaskURL(m.call.url), Event: m.call.event,
		Warning: metainfo.MaskIn(r.Warning, m.call.url), Seeders: r.Seeders, Leechers: r.Leechers, Peers: len(r.Peers),
		Next: t.schedule.regular(), Earliest: t.schedule.earliest,
	})
}

func (t *tracker) failed(c actor.Context, m *answered, r *announce.Reply, err error) {
	exhausted := t.schedule.failed(t.World.Clock.Now(), r, t.rand)
	if t.ending != nil {
		t.ending.hurry = true // what else was to be said does not get through
	}
	var phase world.Phase
	if e, ok := errors.AsType[*world.AnnounceError](err); ok {
		phase = e.Phase
	}
	supervise.Remark(c, "announce_failed", supervise.Text("phase", string(phase)))
	c.Send(t.Refs.Torrent, &messages.TrackerFailed{
		Tier: t.Tier, URL: metainfo.MaskURL(m.call.url), Event: m.call.event,
		Phase: string(phase), Err: err,
		Next: t.schedule.nextTry(), Exhausted: exhausted,
	})
}

// host is all of a tracker's URL that is for others to see: the rest may say who
// the user is.
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

func (t *tracker) disarm() {
	if t.alarm != nil {
		t.alarm.timer.Stop()
		t.alarm = nil
	}
}
