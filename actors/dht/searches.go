package dht

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/krpc"
)

const (
	// announceEvery is how long after a lookup of a torrent the next one is, give
	// or take a tenth, so that torrents that were added together do not stay
	// together. Nodes forget what was announced after 45 minutes or so.
	announceEvery = 15 * time.Minute
	// maxLookups is how many lookups may be under way: further torrents wait.
	// After a start with many torrents this spreads their lookups.
	maxLookups = 4
	// urgentPause is how long after a lookup the next one of a torrent without
	// peers is; the pause doubles each time, until it is announceEvery.
	urgentPause = 30 * time.Second
	// young is for how long after the start we know too few nodes for a first
	// announce to reach those that will be nearest. It is repeated once, as long
	// after as secondAfter and a part of secondWithin: torrents that were added
	// together are spread. Where 1,000 nodes come within five minutes, 99 % of the
	// lookups of minutes 5 to 20 find what was announced; 85 to 90 % do if nothing
	// is repeated.
	young        = 5 * time.Minute
	secondAfter  = time.Minute
	secondWithin = 4 * time.Minute
)

// search is a torrent that wants peers.
type search struct {
	hash    krpc.ID
	torrent address
	port    uint16 // 0: it is not announced
	seed    bool
	urgent  bool          // it has no peer
	due     time.Time     // when its next lookup may begin
	begun   time.Time     // when its last lookup began; zero: none has
	pause   time.Duration // after the next lookup, while it is urgent
	repeat  bool          // the next lookup is that of a first announce repeated
	lookup  *lookup       // under way; nil: none
}

// search takes what a torrent wants. It returns true if the torrent was not
// known.
func (m *member) search(w *messages.SearchPeers, now time.Time) (first bool) {
	s := m.searchOf(krpc.ID(w.InfoHash))
	if s == nil {
		s = &search{hash: krpc.ID(w.InfoHash), due: now}
		m.searches = append(m.searches, s)
	}
	if w.Urgent && !s.urgent {
		s.pause = urgentPause
		s.due = earlier(s.due, s.begun.Add(urgentPause))
	}
	if w.Port != s.port || w.Seed != s.seed {
		s.due = earlier(s.due, s.begun.Add(urgentPause)) // what was announced does not hold
	}
	first = s.torrent == nil || !s.torrent.Equal(w.Torrent)
	s.torrent, s.port, s.seed, s.urgent = w.Torrent, w.Port, w.Seed, w.Urgent
	return first
}

func (m *member) searchOf(hash krpc.ID) *search {
	for _, s := range m.searches {
		if s.hash == hash {
			return s
		}
	}
	return nil
}

// stopSearching forgets a torrent, and returns its address, nil if it was not
// known.
func (m *member) stopSearching(hash krpc.ID) address {
	s := m.searchOf(hash)
	if s == nil {
		return nil
	}
	m.forget(s)
	return s.torrent
}

// gone forgets what a torrent wanted that has ended.
func (m *member) gone(torrent address) {
	for _, s := range slices.Clone(m.searches) {
		if s.torrent.Equal(torrent) {
			m.forget(s)
		}
	}
}

func (m *member) forget(s *search) {
	if s.lookup != nil {
		s.lookup.search, s.lookup.ended = nil, true
	}
	m.searches = slices.DeleteFunc(m.searches, func(other *search) bool { return other == s })
}

// nextSearch is when the next lookup of a torrent may begin.
func (m *member) nextSearch() (at time.Time) {
	if m.table.alive() == 0 {
		return at // bootstrap comes first
	}
	for _, s := range m.searches {
		if s.lookup == nil {
			at = earlier(at, s.due)
		}
	}
	return at
}

// startSearches begins the lookups that are due: those of torrents without
// peers first, and of these those that have waited longest.
func (m *member) startSearches(now time.Time) {
	for len(m.lookups) < maxLookups {
		if at := m.nextSearch(); at.IsZero() || at.After(now) {
			return
		}
		due := func(s *search) int {
			switch {
			case s.lookup != nil || s.due.After(now):
				return 2
			case s.urgent:
				return 0
			}
			return 1
		}
		s := slices.MinFunc(m.searches, func(a, b *search) int {
			return cmp.Or(cmp.Compare(due(a), due(b)), a.due.Compare(b.due))
		})
		s.repeat = s.begun.IsZero() && now.Sub(m.boot.since) < young
		s.begun, s.due = now, time.Time{}
		s.lookup = m.look(s.hash, s, now)
		m.found(s.lookup, m.stored.peers(s.hash, s.seed, now))
	}
}

// look begins a lookup with the nodes that we know.
func (m *member) look(target krpc.ID, s *search, now time.Time) *lookup {
	l := &lookup{target: target, search: s}
	for _, fit := range []bool{true, false} {
		for _, node := range m.table.closest(target, 2*bucketSize, fit) {
			l.add(node)
		}
	}
	m.table.buckets[m.table.index(target)].looked = now
	m.lookups = append(m.lookups, l)
	return l
}

// found keeps the peers that a lookup has found, and tells the torrent that
// looks for them.
func (m *member) found(l *lookup, peers []netip.AddrPort) {
	if fresh := l.told(peers); len(fresh) > 0 && l.search != nil {
		m.tell(l.search, fresh)
	}
}

func (m *member) tell(s *search, peers []netip.AddrPort) {
	found := &messages.PeersFound{Addrs: make([]messages.PeerAddr, len(peers))}
	for i, p := range peers {
		found.Addrs[i] = messages.PeerAddr{Addr: p, Source: messages.Source{Kind: messages.SourceDHT}}
	}
	m.out.Send(s.torrent, found)
}

// searched announces a torrent to the nodes nearest to it, and says when it is
// looked for again.
func (m *member) searched(l *lookup, now time.Time) {
	s := l.search
	s.lookup = nil
	pause := announceEvery*9/10 + time.Duration(m.rand.Int64N(int64(announceEvery/5)))
	if s.urgent { // also if peers were found: we may be the only one
		pause = min(pause, s.pause)
		s.pause = min(2*s.pause, announceEvery)
	}
	if s.repeat {
		pause = min(pause, secondAfter+time.Duration(m.rand.Int64N(int64(secondWithin))))
	}
	s.due = now.Add(pause)
	if s.port == 0 {
		return
	}
	for _, c := range l.nearest() {
		if c.token != nil {
			m.ask(c.Node, nil, krpc.Message{Method: krpc.AnnouncePeer, Target: s.hash, Port: s.port, Seed: s.seed, Token: c.token}, now)
		}
	}
}
