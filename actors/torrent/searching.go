package torrent

import "kouzui/messages"

// searching is the torrent's side of the DHT, of which there is one for each
// address family, or none.
type searching struct {
	begun bool                 // the DHT has been told to search
	said  messages.SearchPeers // what it was told last
	nodes int                  // that the DHT knows, of both families
}

// search tells the DHT what to look for, if that has changed. It begins when
// trackers are asked, and ends when the torrent does, or turns out to be
// private.
func (s *state) search() {
	switch wanted := s.wantedOfDHT(); {
	case s.ending || !s.publicity().DHT:
		if s.searching.begun {
			s.searching.begun = false
			s.tellDHT(&messages.StopSearching{InfoHash: s.hash})
		}
	case s.announcing.begun && (!s.searching.begun || s.searching.said != wanted):
		s.searching.begun, s.searching.said = true, wanted
		s.tellDHT(&wanted)
	}
}

func (s *state) wantedOfDHT() messages.SearchPeers {
	return messages.SearchPeers{
		InfoHash: s.hash, Torrent: s.to.self, Port: s.announcing.port,
		Seed:   s.torrent != nil && s.last.Have == s.torrent.Length,
		Urgent: s.needsData() && s.last.Peers == 0,
	}
}

// dhtStarted tells a DHT that has started, perhaps again, what the one before
// was told.
func (s *state) dhtStarted(m *messages.DHTStarted) {
	if s.searching.begun {
		said := s.searching.said
		s.out.Send(m.DHT, &said)
	}
}

func (s *state) hasDHT() bool {
	return s.to.dht[messages.IPv4] != nil || s.to.dht[messages.IPv6] != nil
}

func (s *state) tellDHT(m any) {
	for _, dht := range s.to.dht {
		if dht != nil {
			s.out.Send(dht, m)
		}
	}
}
