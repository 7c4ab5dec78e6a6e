package observe

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/work"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

const (
	maxFailures = 400 // kept, each with its stack
	maxGone     = 4096
	maxReason   = 160 // bytes of a reason in a row; the details have all of it
	maxRates    = 120 // seconds
)

// model is what pages show. Every change has a version, one higher than the
// last, so that a page can be sent what has changed since the version that it
// has seen; nothing is remembered for each page.
type model struct {
	started time.Time

	mu       sync.Mutex
	version  uint64
	changed  chan struct{} // closed by the next change
	rows     map[string]*row
	gone     []departure // the newest, oldest first
	forgot   uint64      // version of the newest departure that is not in gone
	failures []*failure  // oldest first
	open     map[string]*failure
	torrents map[metainfo.Hash]*torrent

	doing *doing       // nil: nobody has looked yet
	spans []*work.Span // that doing sums up, oldest first

	seq      uint64 // of the last event
	lost     uint64 // events that were missed because they came too fast
	restarts map[string]int
	failed   map[string]int // by kind

	blockedIn, blockedOut int                      // addresses that were refused because of the blocklist
	sending               messages.SendingMeasured // the last; Chosen is empty if there was none
}

// row is one living actor.
type row struct {
	Path        string          `json:"path"`
	Parent      string          `json:"parent,omitempty"`
	Kind        string          `json:"kind"`
	Strategy    string          `json:"strategy,omitempty"` // for its children
	State       supervise.State `json:"state"`
	Incarnation int             `json:"incarnation"`
	Restarts    int             `json:"restarts,omitempty"`
	RestartedAt int64           `json:"restarted_at,omitempty"` // ms since the epoch, as all times here
	FailedAt    int64           `json:"failed_at,omitempty"`
	Reason      string          `json:"reason,omitempty"` // of its last failure
	Depth       int             `json:"depth,omitempty"`
	version     uint64
}

type departure struct {
	path    string
	version uint64
}

func newModel(now time.Time) *model {
	return &model{
		started: now,
		// A page has seen nothing at version 0.
		version:  1,
		changed:  make(chan struct{}),
		rows:     map[string]*row{},
		open:     map[string]*failure{},
		torrents: map[metainfo.Hash]*torrent{},
		restarts: map[string]int{},
		failed:   map[string]int{},
	}
}

// change begins a change, wakes the requests that wait for a change, and
// returns the new version. m.mu is held.
func (m *model) change() uint64 {
	m.version++
	close(m.changed)
	m.changed = make(chan struct{})
	return m.version
}

// apply updates the model from events, in their order. It returns true if
// events were missing in between: then resync must follow.
func (m *model) apply(events []*event.Event) (missed bool) {
	if len(events) == 0 {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	version := m.change()
	for _, e := range events {
		if e.Seq > m.seq+1 {
			m.lost += e.Seq - m.seq - 1
			missed = true
		}
		m.seq = e.Seq
		m.one(e, version)
	}
	return missed
}

func (m *model) one(e *event.Event, version uint64) {
	m.failure(e, version)
	if e.Kind == event.Spawned {
		m.rows[e.Actor] = &row{
			Path: e.Actor, Parent: e.Parent, Kind: e.ActorKind, Strategy: e.Strategy,
			State: supervise.StateStarting, version: version,
		}
		return
	}
	r, ok := m.rows[e.Actor]
	if !ok {
		return
	}
	switch e.Kind {
	case event.Started:
		r.State, r.Incarnation = supervise.StateRunning, e.Incarnation
	case event.Restarted:
		m.restarts[r.Kind]++
		r.State, r.Incarnation = supervise.StateRunning, e.Incarnation
		r.Restarts = e.Incarnation - 1
		r.RestartedAt = e.Time.UnixMilli()
	case event.Failed, event.Escalated:
		m.failed[r.Kind]++
		r.State, r.FailedAt, r.Reason = supervise.StateFailed, e.Time.UnixMilli(), shorten(e.Reason)
	case event.Directive:
		if e.Action != event.ActionRestart {
			return
		}
		r.State = supervise.StateWaiting
	case event.Restarting:
		r.State = supervise.StateRestarting
	case event.Stopping:
		r.State = supervise.StateStopping
	case event.Stopped:
		m.depart(e.Actor, version)
		return
	default:
		return
	}
	r.version = version
}

func (m *model) depart(path string, version uint64) {
	delete(m.rows, path)
	m.gone = append(m.gone, departure{path, version})
	if n := len(m.gone) - maxGone; n > 0 {
		m.forgot = m.gone[n-1].version
		m.gone = slices.Delete(m.gone, 0, n)
	}
}

// sample takes the depths of mailboxes.
func (m *model) sample(nodes []supervise.Node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	version := m.change()
	for _, n := range nodes {
		if r, ok := m.rows[n.Path]; ok && r.Depth != n.MailboxDepth {
			r.Depth, r.version = n.MailboxDepth, version
		}
	}
}

// resync replaces the tree by a snapshot, after events have been missed. The
// next events may tell once more what the snapshot already shows; that does no
// harm.
func (m *model) resync(nodes []supervise.Node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	version := m.change()
	living := make(map[string]bool, len(nodes))
	for _, n := range nodes {
		living[n.Path] = true
		r, ok := m.rows[n.Path]
		if !ok {
			r = &row{Path: n.Path, Parent: n.Parent, Kind: n.Kind}
			m.rows[n.Path] = r
		}
		r.State, r.Incarnation, r.Restarts = n.State, n.Incarnation, n.Restarts
		r.Depth, r.Reason, r.version = n.MailboxDepth, shorten(n.LastReason), version
	}
	for path := range m.rows {
		if !living[path] {
			m.depart(path, version)
		}
	}
}

// progress updates a torrent from its Progress; err is why it has ended, if it
// has.
func (m *model) progress(p *messages.Progress, err string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.torrents[p.InfoHash]
	if !ok {
		t = &torrent{}
		m.torrents[p.InfoHash] = t
	}
	t.take(p, err)
	t.version = m.change()
}

// frame is one update that is sent to a page.
type frame struct {
	Program  string    `json:"program"`
	Full     bool      `json:"full,omitempty"` // forget all that was told before
	Now      int64     `json:"now"`
	Started  int64     `json:"started"`
	Lost     uint64    `json:"lost,omitempty"` // events
	Restarts int       `json:"restarts"`       // of all actors that ever lived
	Actors   []row     `json:"actors,omitempty"`
	Gone     []string  `json:"gone,omitempty"` // before Actors: a path may be taken again
	Failures []failure `json:"failures,omitempty"`
	Torrents []torrent `json:"torrents,omitempty"`
	Work     *doing    `json:"work,omitempty"`
	version  uint64
}

// frame tells what has changed since version seen, and returns a channel that
// is closed by the next change.
func (m *model) frame(seen uint64, now time.Time) (frame, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seen <= m.forgot {
		seen = 0
	}
	f := frame{
		Full: seen == 0, Now: now.UnixMilli(), Started: m.started.UnixMilli(),
		Lost: m.lost, version: m.version,
	}
	for _, n := range m.restarts {
		f.Restarts += n
	}
	for _, r := range m.rows {
		if r.version > seen {
			f.Actors = append(f.Actors, *r)
		}
	}
	slices.SortFunc(f.Actors, func(a, b row) int { return strings.Compare(a.Path, b.Path) })
	for _, d := range m.gone {
		if !f.Full && d.version > seen {
			f.Gone = append(f.Gone, d.path)
		}
	}
	for _, e := range m.failures {
		if e.version > seen {
			f.Failures = append(f.Failures, *e)
		}
	}
	for _, t := range m.torrents {
		if t.version > seen {
			shown := *t
			shown.Down, shown.Up = slices.Clone(t.Down), slices.Clone(t.Up)
			f.Torrents = append(f.Torrents, shown)
		}
	}
	if m.doing != nil && m.doing.version > seen {
		f.Work = m.doing
	}
	slices.SortFunc(f.Torrents, func(a, b torrent) int { return strings.Compare(a.Name+a.Hash, b.Name+b.Hash) })
	return f, m.changed
}

// blocked counts refused addresses, for the metrics only.
func (m *model) blocked(b *messages.AddressesBlocked) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b.Inbound {
		m.blockedIn += b.Count
	} else {
		m.blockedOut += b.Count
	}
}

// sendingMeasured takes what it costs to send, for the metrics only.
func (m *model) sendingMeasured(s *messages.SendingMeasured) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sending = *s
}

// census is what the metrics need to know of the model.
type census struct {
	rows             []row
	torrents         []torrent
	restarts, failed map[string]int
	events, lost     uint64

	blockedIn, blockedOut int
	sending               messages.SendingMeasured
}

func (m *model) census() census {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := census{
		restarts: maps.Clone(m.restarts), failed: maps.Clone(m.failed), events: m.seq, lost: m.lost,
		blockedIn: m.blockedIn, blockedOut: m.blockedOut, sending: m.sending,
	}
	for _, r := range m.rows {
		c.rows = append(c.rows, *r)
	}
	for _, t := range m.torrents {
		c.torrents = append(c.torrents, *t)
	}
	return c
}

// shorten makes the first line of a reason fit to be shown, in at most
// maxReason bytes.
func shorten(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return metainfo.Clean(s, maxReason)
}
