package peer

import (
	"time"

	"kouzui/messages"
	"kouzui/wire/extended"
)

// Peer exchange (BEP 11): peers decides whom the other side is told of, and
// takes whom the other side tells of.

const (
	// heardEvery is the least time between two messages that are taken. BEP 11
	// permits one a minute; clocks and networks differ.
	heardEvery = 45 * time.Second
	// maxHeard is how many peers of a message are taken (BEP 11).
	maxHeard = 50
	// costExchange is for a message that comes too soon: few are borne.
	costExchange = 100
)

// takeExchange takes a message about peers.
func (s *session) takeExchange(payload []byte, now time.Time) error {
	e := &s.extension
	m, err := extended.ParseExchange(payload)
	switch {
	case err != nil || !e.publicity.Exchange:
		return s.flood.charge(costUseless+len(payload)/repeatUnit, now)
	case !e.heard.IsZero() && now.Sub(e.heard) < heardEvery:
		return s.flood.charge(costExchange, now)
	}
	e.heard = now
	s.out.heard = m.Added[:min(len(m.Added), maxHeard)]
	s.out.news = len(s.out.heard) > 0 || s.out.news
	return s.flood.charge(costChange, now)
}

// tellPeers tells the other side who has come and who has gone.
func (k *connection) tellPeers(m *messages.TellPeers) {
	s := k.session
	if s == nil || !s.extension.publicity.Exchange || !s.extension.takes.Takes(extended.Exchange) {
		return
	}
	s.extend(extended.Exchange, extended.ExchangeMessage{Added: m.Added, Dropped: m.Dropped}.Append(nil), nil)
	k.flush()
}
