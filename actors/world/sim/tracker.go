package sim

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"kouzui/actors/world"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// Tracker is a tracker in memory, for any number of torrents.
type Tracker struct {
	Interval time.Duration
	Dead     bool // it does not answer
	// Announces counts the announces that were answered.
	Announces int

	sim    *Sim
	rnd    *rand.Rand
	swarms map[metainfo.Hash]*swarm
}

type swarm struct{ peers []member }

type member struct {
	id   [20]byte
	addr netip.AddrPort
	left int64
	seen int64
}

// trackerDelay is the delay of every tracker, see Class.Delay.
const trackerDelay = 20 * time.Millisecond

// NewTracker adds a tracker at a URL.
func (s *Sim) NewTracker(url string, interval time.Duration) *Tracker {
	t := &Tracker{Interval: interval, sim: s, rnd: s.Rand("tracker " + url), swarms: map[metainfo.Hash]*swarm{}}
	s.trackers[url] = t
	return t
}

// announcer is the world.Announcer of one process.
type announcer struct {
	host *Host
	life *life
}

var errNoAnswer = errors.New("timed out")

// Announce implements world.Announcer.
func (a announcer) Announce(url string, _ world.Origin, r announce.Request, timeout time.Duration, done func(announce.Reply, error)) (cancel func()) {
	s := a.host.sim
	t := s.trackers[url]
	if t == nil {
		e := s.at(s.now, Tracked, a.life, func() {
			done(announce.Reply{}, &world.AnnounceError{Phase: world.PhaseDNS, Err: errors.New("no such host")})
		})
		return func() { e.Stop() }
	}
	over := false
	lapse := s.at(s.now+int64(timeout), Timer, a.life, func() {
		over = true
		done(announce.Reply{}, &world.AnnounceError{Phase: world.PhaseConnect, Err: errNoAnswer})
	})
	way := int64(a.host.Delay + trackerDelay)
	s.at(s.now+2*way, Tracked, nil, func() { // after the connection is made
		if t.Dead || a.host.side != 0 {
			return
		}
		reply := t.answer(a.host.Addr, r)
		s.at(s.now+2*way, Tracked, a.life, func() {
			if !over {
				over = true
				lapse.Stop()
				done(reply, nil)
			}
		})
	})
	return func() {
		over = true
		lapse.Stop()
	}
}

// Permit implements world.Announcer.
func (announcer) Permit(string, world.Origin, netip.Addr, time.Duration) (time.Duration, error) {
	return 0, nil
}

// LeaveOut implements world.Announcer.
func (announcer) LeaveOut(*announce.Reply, netip.Addr) {}

// answer remembers the peer that announces, and returns others in random order.
// A peer that has not announced for two intervals is forgotten.
func (t *Tracker) answer(from netip.Addr, r announce.Request) announce.Reply {
	t.Announces++
	w := t.swarms[r.InfoHash]
	if w == nil {
		w = &swarm{}
		t.swarms[r.InfoHash] = w
	}
	now := t.sim.now
	w.peers = slices.DeleteFunc(w.peers, func(m member) bool {
		return m.id == r.PeerID || now-m.seen > 2*int64(t.Interval)
	})
	reply := announce.Reply{Interval: t.Interval, MinInterval: t.Interval / 2}
	for _, m := range w.peers {
		if m.left == 0 {
			reply.Seeders++
		} else {
			reply.Leechers++
		}
	}
	want := r.NumWant
	if want < 0 {
		want = 50
	}
	for _, i := range t.rnd.Perm(len(w.peers)) {
		if m := w.peers[i]; len(reply.Peers) < want && m.addr.Port() != 0 && (m.left > 0 || r.Left > 0) {
			reply.Peers = append(reply.Peers, announce.Peer{Addr: m.addr})
		}
	}
	if r.Event != announce.Stopped {
		w.peers = append(w.peers, member{r.PeerID, netip.AddrPortFrom(from, r.Port), r.Left, now})
	}
	return reply
}
