package torrent

import (
	"fmt"
	"time"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// state is what a torrent knows. Messages go in, and what is to be done gathers
// in out. The shell sets now before each.
type state struct {
	hash    metainfo.Hash
	torrent *metainfo.Torrent
	options messages.TorrentOptions
	to      addresses
	now     time.Time
	out     effects

	// started is when this life began: earlier Progress is of another's engine.
	started time.Time
	last    messages.Progress
	counts  runCounts
	// held is the last Progress that came before RestoreTotals.
	held *messages.Progress
	// complete: all is there, and the client has been told.
	complete bool

	goals      goals
	announcing announcing
	candidates candidates
	renewal    renewal
	ending     bool
	// The rest is for the end alone: see end.go.
	failure  error
	awaited  int       // answers that the end waits for
	endBy    time.Time // when it waits no longer
	reported bool      // the client has had the last word
}

// effects is what a state wants done, beside messages to be sent.
type effects struct {
	messages.Outbox
	remarks     []remark // for the trace
	startEngine bool
	stopEngine  bool
}

type remark struct{ event, why string }

func newState(t *metainfo.Torrent, o messages.TorrentOptions, port uint16, now time.Time) *state {
	return &state{
		hash: t.InfoHash, torrent: t, options: o, now: now, started: now,
		goals:      goals{options: o},
		announcing: newAnnouncing(len(t.Announce), port),
		candidates: newCandidates(o.Peers),
		last: messages.Progress{
			InfoHash: t.InfoHash, Name: t.Name, State: messages.StateStarting,
			Pieces: t.PieceCount(), Length: t.Length, Left: t.Length,
		},
	}
}

func (s *state) tellClient(m any) { s.out.Send(s.to.client, m) }

// tellEngine sends to the engine. What is sent while there is none is lost.
func (s *state) tellEngine(m any) {
	if s.to.engine != nil {
		s.out.Send(s.to.engine, m)
	}
}

func (s *state) begin() {
	s.tellClient(&messages.TorrentStarted{InfoHash: s.hash})
	s.out.startEngine = true
}

// engineStarted tells an engine what its configuration does not.
func (s *state) engineStarted() {
	if s.renewal.memory != nil {
		s.tellEngine(s.renewal.memory)
	}
}

// engineGone: the engine has stopped. Unless the torrent wanted that, supervision
// has given the engine up.
func (s *state) engineGone() {
	s.to.engine = nil
	if s.renewal.wanted {
		s.renewal.at = s.now.Add(renewAfter)
		return
	}
	s.end(fmt.Errorf("%w on the engine of this torrent", messages.ErrGivenUp))
}

// due is when wake is to be called; zero: not before something happens.
func (s *state) due() time.Time {
	switch {
	case s.reported:
		return time.Time{}
	case s.ending:
		return s.endBy
	case s.renewal.wanted:
		return s.renewal.at
	}
	if due := s.goals.due(); due.After(s.now) {
		return due
	}
	return time.Time{}
}

// wake does what is due.
func (s *state) wake() {
	switch {
	case s.ending:
		s.awaited = 0
		s.report()
	case s.renewal.wanted:
		s.renew()
	default:
		s.judge()
	}
}

// restoreTotals takes over what an earlier life of this torrent has counted.
func (s *state) restoreTotals(m *messages.RestoreTotals) {
	s.counts.restore(m)
	s.announcing.completedSaid(m.Complete)
	if s.held != nil {
		s.progress(s.held)
		s.held = nil
	}
}

func (s *state) setLimits(m *messages.SetLimits) {
	s.renewal.limits = m
	s.tellEngine(m)
}

func (s *state) setMemory(m *messages.SetMemory) {
	s.renewal.memory = m
	s.tellEngine(m)
}

func (s *state) progress(m *messages.Progress) {
	if s.ending || m.At.Before(s.started) {
		return
	}
	if !s.counts.restored {
		s.held = m
		return
	}
	p := s.counts.total(*m)
	if p.Peers == 0 && p.Left > 0 && p.State == messages.StateDownloading && s.announcing.trouble != "" {
		p.Why = s.announcing.trouble
	}
	s.last = p
	s.tellClient(&p)
	if p.State == messages.StateStarting || p.State == messages.StateChecking || s.renewal.wanted {
		return
	}
	s.beginAnnouncing()
	if p.State == messages.StateSeeding && !s.complete {
		s.complete = true
		s.goals.completed(s.now)
		s.tellClient(&messages.TorrentCompleted{InfoHash: s.hash, Last: p})
	}
	s.askFurtherTiers()
	s.tellTotals()
	s.judge()
}

// judge ends the torrent when it is done or hopeless.
func (s *state) judge() {
	if s.goals.done(&s.last, s.now) {
		s.end(nil)
	} else if err := s.goals.hopeless(&s.last, s.now); err != nil {
		s.end(err)
	}
}

func (s *state) storeFailed(m *messages.StoreFailed) {
	if m.Fatal {
		s.end(m.Err)
		return
	}
	s.goals.diskFailed(m.Err, s.now)
}
