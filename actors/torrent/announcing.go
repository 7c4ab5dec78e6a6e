package torrent

import (
	"fmt"
	"time"

	"kouzui/messages"
	"kouzui/wire/announce"
)

const (
	// maxAlone is how long no peer may be connected to a torrent that needs data
	// before one more tier is asked.
	maxAlone = 20 * time.Second
	// enoughPeers: with fewer connected, trackers are asked for more.
	enoughPeers = 20
)

// announcing is the torrent's side of its tracker actors, one for each tier.
type announcing struct {
	tiers
	// resume is for each tracker, should it be restarted: what was announced in
	// this run, and until when to wait.
	resume []messages.StartAnnouncing
	port   uint16 // at which we can be dialled; 0: nowhere
	begun  bool   // it is known how many bytes are left
	ended  bool   // StopAnnouncing has been sent
	// tracker is the URL of the last reply, "" if there was none.
	tracker string
	// status is for the user: the last answers of each tier.
	status []messages.TrackerStatus
	// aloneSince is when the last peer went, or when one more tier was asked
	// because of that; zero: a peer is connected, or none is needed.
	aloneSince time.Time
	// complaint is the warning or error of the last announce, "" if it had none.
	complaint string
}

func newAnnouncing(tiers int, port uint16) announcing {
	return announcing{tiers: newTiers(tiers), resume: make([]messages.StartAnnouncing, tiers), port: port, status: make([]messages.TrackerStatus, tiers)}
}

// completedSaid notes whether an earlier life of the torrent had all pieces,
// and has announced `completed`.
func (a *announcing) completedSaid(said bool) {
	for i := range a.resume {
		a.resume[i].Completed = said
	}
}

func (s *state) tellTracker(tier int, m any) { s.out.Send(s.to.trackers[tier], m) }

// trackerReady tells a tracker that has started, perhaps again, what it needs.
func (s *state) trackerReady(tier int) {
	s.tellTracker(tier, &messages.SetListenPort{Port: s.announcing.port})
	s.tellTracker(tier, s.totals())
	switch {
	case s.announcing.ended:
		s.tellTracker(tier, &messages.StopAnnouncing{Within: maxEnd})
	case s.announcing.active[tier]:
		resume := s.announcing.resume[tier]
		s.tellTracker(tier, &resume)
	}
}

// beginAnnouncing has the first tier announce.
func (s *state) beginAnnouncing() {
	if !s.announcing.begun {
		s.announcing.begun = true
		s.activate(s.announcing.advance())
	}
}

// setListenPort tells trackers, the DHT and peers where we can be dialled.
func (s *state) setListenPort(m *messages.SetListenPort) {
	if m.Port != s.announcing.port {
		s.updates.port = m
		s.tellEngine(m)
	}
	s.announcing.port = m.Port
	for tier := range s.to.trackers {
		s.tellTracker(tier, m)
	}
	s.search()
}

func (s *state) trackerReplied(m *messages.TrackerReplied) {
	s.announcing.complaint = m.Warning
	s.announcing.status[m.Tier].Replied = m
	resume := &s.announcing.resume[m.Tier]
	resume.NotBefore = m.Earliest
	switch m.Event {
	case announce.Started:
		resume.Started = true
	case announce.Completed:
		resume.Completed = true
	}
	s.pause(s.announcing.replied(m.Tier))
	s.trackerChosen(m.URL)
	s.tellSession(&messages.TorrentAnnounced{InfoHash: s.hash, Replied: m})
}

func (s *state) trackerFailed(m *messages.TrackerFailed) {
	s.announcing.complaint = fmt.Sprintf("tracker %s: %v", m.URL, m.Err)
	s.announcing.status[m.Tier].Failed = m
	if m.Exhausted && !s.announcing.ended {
		pause, activate := s.announcing.exhausted(m.Tier)
		s.pause(pause)
		s.activate(activate)
	}
	s.tellSession(&messages.TorrentAnnounced{InfoHash: s.hash, Failed: m})
}

// trackerChosen notes which tracker has replied. The peers of a private torrent
// are those that its tracker names: when another one takes over, we part from
// all (BEP 27).
func (s *state) trackerChosen(url string) {
	a := &s.announcing
	if a.private && a.tracker != "" && a.tracker != url {
		s.candidates.forgetTold()
		s.tellEngine(&messages.ForgetPeers{})
	}
	a.tracker = url
}

func (s *state) pause(tiers []int) {
	for _, tier := range tiers {
		s.tellTracker(tier, &messages.PauseAnnouncing{})
	}
}

func (s *state) activate(tiers []int) {
	for _, tier := range tiers {
		s.tellTracker(tier, s.totals())
		resume := s.announcing.resume[tier]
		s.tellTracker(tier, &resume)
	}
}

// askFurtherTiers asks one more tier each time that no peer has been connected
// for long.
func (s *state) askFurtherTiers() {
	switch since := &s.announcing.aloneSince; {
	case s.last.Peers > 0 || !s.needsData():
		*since = time.Time{}
		s.announcing.peersConnected()
	case since.IsZero():
		*since = s.now
	case s.now.Sub(*since) >= maxAlone:
		*since = s.now
		s.activate(s.announcing.nobodyConnected())
	}
}

// tellTotals tells the trackers that announce how much has moved.
func (s *state) tellTotals() {
	for tier, active := range s.announcing.active {
		if active {
			s.tellTracker(tier, s.totals())
		}
	}
}

// stopAnnouncing has the trackers that announce say `stopped`, and returns how
// many AnnouncingStopped are to come.
func (s *state) stopAnnouncing() (answers int) {
	s.tellTotals()
	s.announcing.ended = true
	for tier, active := range s.announcing.active {
		if active {
			answers++
			s.tellTracker(tier, &messages.StopAnnouncing{Within: maxEnd})
		}
	}
	return answers
}
