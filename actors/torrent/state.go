package torrent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kouzui/messages"
	"kouzui/wire/choice"
	"kouzui/wire/metainfo"
)

// state is the core: everything that a torrent knows. The shell sets now, calls
// a method for each message, and carries out the effects that are collected in
// out.
type state struct {
	hash       metainfo.Hash
	torrent    *metainfo.Torrent // nil: only the hash is known
	priorities []choice.Priority // of its files; nil: all are wanted alike
	given      [][]string        // the tiers of trackers that the torrent was added with
	to         addresses
	now        time.Time
	out        effects

	// started is when this incarnation of the torrent began. Progress of an
	// earlier time is ignored: it comes from the engine of the incarnation before.
	started time.Time
	last    messages.Progress
	counts  runCounts
	// held is the latest Progress that came before RestoreTotals.
	held *messages.Progress
	// complete: all wanted pieces are there, and the session has been told.
	complete bool
	metadata messages.MetadataProgress // the last
	// reportAt is when the torrent itself reports Progress, while there is no
	// scheduler.
	reportAt time.Time

	goals      goals
	announcing announcing
	candidates candidates
	searching  searching
	sources    sources
	webSeeds   webSeeds
	updates    updates
	renewal    renewal
	ending     bool
	// The rest is for the end alone: see end.go.
	failure  error
	awaited  int       // answers that are waited for at the end
	endBy    time.Time // when they are no longer waited for
	reported bool      // the final report has been sent
}

// updates are the latest settings that arrived after the torrent was added;
// nil: none did. The engine and its members are built from the earlier
// settings, so after a restart they are sent the updates again.
type updates struct {
	ours     [2]*messages.SetOurAddress // by family; nil: not known
	port     *messages.SetListenPort
	metainfo *messages.SetMetainfo
	wanted   *messages.SetWanted
	limits   *messages.SetLimits
	memory   *messages.SetMemory
}

// effects are what the shell is to do.
type effects struct {
	messages.Outbox
	remarks      []remark // for the trace
	startEngine  bool
	stopEngine   bool
	stopMetadata bool
}

type remark struct{ event, why string }

func newState(added *messages.AddTorrent, port uint16, now time.Time) *state {
	s := &state{
		hash: added.InfoHash, given: added.Announce, now: now, started: now,
		goals:      goals{options: added.Options},
		announcing: newAnnouncing(len(added.Announce), port),
		candidates: newCandidates(added.Options.Peers, added.Options.LinkPeers),
		last:       messages.Progress{InfoHash: added.InfoHash, Name: added.Name, State: messages.StateMetadata},
	}
	if c := added.Options.Choice; !c.Empty() {
		s.updates.wanted = &messages.SetWanted{InfoHash: added.InfoHash, Choice: c}
	}
	if added.Torrent != nil {
		s.given = slices.Concat(s.given, added.Torrent.Announce) // those that cannot be asked, too
		s.know(added.Torrent)
	}
	return s
}

func (s *state) tellSession(m any) { s.out.Send(s.to.session, m) }

// tellEngine sends to the engine. While there is no engine, the message is
// dropped.
func (s *state) tellEngine(m any) {
	if s.to.engine != nil {
		s.out.Send(s.to.engine, m)
	}
}

// tellStoreAndScheduler sends to the store and the scheduler, by way of the
// engine. They exist only once the metainfo is known.
func (s *state) tellStoreAndScheduler(m any) {
	if s.torrent != nil {
		s.tellEngine(m)
	}
}

func (s *state) begin() {
	s.tellSession(&messages.TorrentStarted{InfoHash: s.hash, Torrent: s.to.self})
	s.out.startEngine = true
}

// tellMemory tells the store and the scheduler, also those of a new engine, how
// much memory they have.
func (s *state) tellMemory() {
	if s.updates.memory != nil {
		s.tellStoreAndScheduler(s.updates.memory)
	}
}

// engineGone notes that the engine has stopped: for a renewal, or because its
// restart budget is spent.
func (s *state) engineGone() {
	s.to.engine = nil
	if s.renewal.pending {
		s.renewal.at = s.now.Add(renewAfter)
		return
	}
	s.end(fmt.Errorf("%w on the engine of this torrent", messages.ErrGivenUp))
}

// due is when wake is to be called; the zero time: not before another message
// comes.
func (s *state) due() time.Time {
	switch {
	case s.reported:
		return time.Time{}
	case s.ending:
		return s.endBy
	case s.renewal.pending:
		return s.renewal.at
	case s.torrent == nil:
		return s.reportAt
	}
	if due := s.goals.due(); due.After(s.now) {
		return due
	}
	return time.Time{}
}

// wake does what is due at the time now.
func (s *state) wake() {
	switch {
	case s.ending:
		s.awaited = 0
		s.report()
	case s.renewal.pending:
		s.renew()
	case s.torrent == nil:
		s.tellEngine(&messages.SetDialing{Dial: true})
		s.reportMetadata()
	default:
		s.judge()
	}
}

// restoreTotals adds the totals of earlier runs and incarnations of this
// torrent.
func (s *state) restoreTotals(m *messages.RestoreTotals) {
	if s.counts.restored {
		if s.complete { // another session begins, which may not have heard of it
			s.tellSession(&messages.TorrentCompleted{InfoHash: s.hash, Last: s.last})
		}
		return
	}
	s.counts.restore(m)
	s.announcing.completedSaid(m.Complete)
	if s.torrent == nil {
		s.reportMetadata()
	}
	if s.held != nil {
		s.progress(s.held)
		s.held = nil
	}
}

func (s *state) setLimits(m *messages.SetLimits) {
	s.updates.limits = m
	s.tellEngine(m)
}

func (s *state) setMemory(m *messages.SetMemory) {
	s.updates.memory = m
	s.tellMemory()
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
	p.Sources = s.withWebSeeds()
	fetching := p.State == messages.StateDownloading && p.Left > 0 || p.State == messages.StateMetadata
	if fetching && p.Peers == 0 && s.goals.diskError == nil {
		p.Why = s.whyAlone(p.Why)
		if why := s.whyNoWebSeed(); why != "" && p.Why != "" {
			p.Why = strings.TrimSuffix(p.Why, ".") + ". " + why
		}
	}
	s.last = p
	s.tellSession(&p)
	if p.State == messages.StateStarting || p.State == messages.StateChecking || s.renewal.pending {
		return
	}
	s.beginAnnouncing()
	if p.State == messages.StateSeeding && !s.complete && s.haveWanted() {
		s.complete = true
		s.goals.completed(s.now)
		s.tellSession(&messages.TorrentCompleted{InfoHash: s.hash, Last: p})
	}
	s.askFurtherTiers()
	s.tellTotals()
	s.search()
	s.judge()
}

// judge ends the torrent if its goal is reached or cannot be reached.
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
