package torrents

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// runs is the core: the torrents that run, and the outcomes that the session
// has not told to forget.
type runs struct {
	session address
	all     map[metainfo.Hash]*run
	out     messages.Outbox
	effects effects
}

// effects is what the shell has to do.
type effects struct {
	stop    []address
	spawn   []spawn
	answers []*messages.QueryStopped
}

type spawn struct {
	name  string
	order *messages.StartTorrent
}

// run is one torrent from StartTorrent to ForgetTorrent.
type run struct {
	add     *messages.AddTorrent
	name    string // of its actor
	pid     address
	gone    bool // the actor has stopped
	outcome any  // nil: it runs
	forget  bool
	next    *messages.StartTorrent // another run, to begin when this one is gone
	asked   []*messages.QueryStopped
}

func newRuns(session address) *runs {
	return &runs{session: session, all: map[metainfo.Hash]*run{}}
}

func (r *runs) take() effects {
	done := r.effects
	r.effects = effects{}
	return done
}

// start begins a run, now or once an earlier run of the same torrent is gone.
func (r *runs) start(m *messages.StartTorrent) {
	hash := m.Add.InfoHash
	switch old := r.all[hash]; {
	case old == nil:
		r.spawn(m)
	case old.add.Run == m.Add.Run: // sent twice: the session had not heard of the run yet
	case old.gone:
		r.spawn(m)
	default:
		old.next = m
		r.stop(old)
	}
}

// spawn names the actor by the first digits of the hash, or by all of them if
// another torrent begins alike.
func (r *runs) spawn(m *messages.StartTorrent) {
	hash := m.Add.InfoHash
	name := "torrent-" + hash.String()[:8]
	for _, other := range r.all {
		if other.name == name && other.add.InfoHash != hash {
			name = "torrent-" + hash.String()
		}
	}
	r.all[hash] = &run{add: m.Add, name: name}
	r.effects.spawn = append(r.effects.spawn, spawn{name, m})
}

func (r *runs) spawned(hash metainfo.Hash, pid address) { r.all[hash].pid = pid }

// end keeps the outcome of a run, tells the session, and stops the actor.
func (r *runs) end(hash metainfo.Hash, outcome any) {
	t := r.all[hash]
	if t == nil || t.outcome != nil {
		return
	}
	t.outcome = outcome
	r.out.Send(r.session, &messages.TorrentEnded{Run: t.add.Run, InfoHash: hash, Outcome: outcome})
	r.stop(t)
}

func (r *runs) stop(t *run) {
	if !t.gone {
		r.effects.stop = append(r.effects.stop, t.pid)
	}
}

// gone notes that an actor has stopped. If there is no outcome, supervision has
// given the torrent up.
func (r *runs) gone(id string) {
	for hash, t := range r.all {
		if t.gone || t.name != path.Base(id) {
			continue
		}
		t.gone = true
		r.effects.answers = append(r.effects.answers, t.asked...)
		switch {
		case t.next != nil:
			r.spawn(t.next)
		case t.outcome == nil:
			err := fmt.Errorf("%s: %w", t.add.Name, messages.ErrGivenUp)
			r.end(hash, &messages.TorrentFailed{InfoHash: hash, Err: err})
		case t.forget:
			delete(r.all, hash)
		}
		return
	}
}

// awaitStop answers when the actor has stopped.
func (r *runs) awaitStop(m *messages.QueryStopped) {
	if t := r.all[m.InfoHash]; t == nil || t.gone {
		r.effects.answers = append(r.effects.answers, m)
	} else {
		t.asked = append(t.asked, m)
	}
}

// forget drops an outcome that has been passed on. A torrent that still runs is
// stopped: the session does not know it.
func (r *runs) forget(m *messages.ForgetTorrent) {
	t := r.all[m.InfoHash]
	if t == nil || t.add.Run != m.Run {
		return
	}
	t.forget = true
	if t.gone {
		delete(r.all, m.InfoHash)
	} else if t.outcome == nil {
		t.outcome = &messages.TorrentDone{InfoHash: m.InfoHash}
		r.stop(t)
	}
}

// list tells the session all runs, in a fixed order.
func (r *runs) list() {
	listed := &messages.TorrentsListed{}
	for _, hash := range slices.SortedFunc(maps.Keys(r.all), func(a, b metainfo.Hash) int { return bytes.Compare(a[:], b[:]) }) {
		t := r.all[hash]
		listed.Torrents = append(listed.Torrents, messages.ListedTorrent{Run: t.add.Run, InfoHash: hash, Torrent: t.pid, Outcome: t.outcome})
	}
	r.out.Send(r.session, listed)
}
