package torrent

import (
	"maps"
	"net/netip"
	"slices"

	"kouzui/messages"
)

// maxCandidates bounds the addresses that are kept for peers that are
// restarted.
const maxCandidates = 1000

// candidates are the addresses of peers that the torrent has heard of.
type candidates struct {
	known map[netip.AddrPort]messages.PeerAddr
	// told are those of them that the user has not given, oldest first.
	told []messages.PeerAddr
}

func newCandidates(user, link []netip.AddrPort) candidates {
	c := candidates{known: map[netip.AddrPort]messages.PeerAddr{}}
	for _, a := range user {
		c.known[a] = messages.PeerAddr{Addr: a, Source: messages.Manual}
	}
	for _, a := range link {
		c.remember(messages.PeerAddr{Addr: a, Source: messages.Magnet})
	}
	return c
}

func (c *candidates) remember(a messages.PeerAddr) {
	if _, known := c.known[a.Addr]; known {
		return
	}
	if len(c.known) >= maxCandidates && len(c.told) > 0 {
		c.makeRoom(a.Source)
	}
	if len(c.known) < maxCandidates {
		c.known[a.Addr] = a
		c.told = append(c.told, a)
	}
}

// makeRoom forgets, for a newcomer from a source, the oldest address of the
// source with the most: a source that tells many keeps out only its own. What
// the user has given is never forgotten.
func (c *candidates) makeRoom(newcomer messages.Source) {
	counts := map[messages.Source]int{}
	for _, a := range c.told {
		counts[a.Source]++
	}
	most := newcomer
	for _, a := range c.told {
		if counts[a.Source] > counts[most] {
			most = a.Source
		}
	}
	oldest := slices.IndexFunc(c.told, func(a messages.PeerAddr) bool { return a.Source == most })
	delete(c.known, c.told[oldest].Addr)
	c.told = slices.Delete(c.told, oldest, oldest+1)
}

// forgetTold forgets all addresses but those that the user has given.
func (c *candidates) forgetTold() {
	for _, a := range c.told {
		delete(c.known, a.Addr)
	}
	c.told = nil
}

// all is every address, in the same order in each run.
func (c *candidates) all() []messages.PeerAddr {
	return slices.SortedFunc(maps.Values(c.known), func(a, b messages.PeerAddr) int { return a.Addr.Compare(b.Addr) })
}

// setOurAddress passes our address on to the peers.
func (s *state) setOurAddress(m *messages.SetOurAddress) {
	s.updates.ours[messages.Family(m.Addr)] = m
	s.tellEngine(m)
}

func (s *state) peersFound(m *messages.PeersFound) {
	for _, a := range m.Addrs {
		s.candidates.remember(a)
	}
	s.tellEngine(&messages.AddCandidates{Addrs: m.Addrs})
}

// peersStarted answers QueryCandidates: peers that have started, perhaps again,
// are told all addresses, and what their configuration does not say.
func (s *state) peersStarted() {
	s.tellEngine(s.publicity())
	for _, m := range s.updates.ours {
		if m != nil {
			s.tellEngine(m)
		}
	}
	if s.updates.port != nil {
		s.tellEngine(s.updates.port)
	}
	s.tellEngine(&messages.AddCandidates{Addrs: s.candidates.all()})
	if s.updates.limits != nil {
		s.tellEngine(s.updates.limits)
	}
	if s.torrent == nil {
		s.tellEngine(&messages.SetDialing{Dial: true}) // later the scheduler decides
	}
	s.peersConnected(0)
	s.sources = nil
	s.tellMetainfo()
}
