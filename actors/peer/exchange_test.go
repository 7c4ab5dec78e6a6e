package peer

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/extended"
	"kouzui/wire/frame"
)

func exchangeFrame(m extended.ExchangeMessage) frame.Frame {
	return frame.Frame{Kind: frame.Extended, Index: uint32(extended.Exchange), Bits: m.Append(nil)}
}

func contacts(n int) (all []extended.Contact) {
	for i := range n {
		all = append(all, extended.Contact{Addr: netip.MustParseAddrPort(fmt.Sprintf("10.0.0.%d:1", i+1))})
	}
	return all
}

// Who a peer is, whom it tells of, and whom it is told of.
func TestPeerExchanges(t *testing.T) {
	s := newScene(t, messages.SetLimits{})
	s.Tell(&messages.SetPublicity{Exchange: true})
	link, ready := s.shake()
	s.Tell(&messages.StartSession{Link: ready.Link, Torrent: s.torrent, Have: bitset.New(10)})
	link.AwaitStart()
	link.Receive(introduction(extended.Handshake{Port: 99, Offers: extended.Offers{extended.Exchange: {Said: true, Number: 5}}}))
	if m := stage.Await[*messages.PeerIntroduced](s.peers); m.Port != 99 || !m.Exchange || m.Seed {
		t.Errorf("%+v", m)
	}
	link.Receive(frame.Frame{Kind: frame.HaveAll})
	if m := stage.Await[*messages.PeerIntroduced](s.peers); !m.Seed || m.Port != 99 {
		t.Errorf("%+v", m)
	}
	s.Tell(&messages.TellPeers{Added: contacts(1), Dropped: []netip.AddrPort{addr}})
	for {
		sent := link.AwaitSent()
		if sent.Kind != frame.Extended || sent.Index == extended.HandshakeID {
			continue
		}
		m, err := extended.ParseExchange(sent.Bits)
		if sent.Index != 5 || err != nil || len(m.Added) != 1 || len(m.Dropped) != 1 {
			t.Errorf("number %d: %+v, %v", sent.Index, m, err)
		}
		break
	}
	link.Receive(exchangeFrame(extended.ExchangeMessage{Added: contacts(70)}))
	if m := stage.Await[*messages.PeersHeard](s.peers); m.Key != 1 || len(m.Added) != maxHeard {
		t.Errorf("%d peers", len(m.Added))
	}
	s.Tell(&messages.SetPublicity{})
	if m := stage.Await[*messages.PeerIntroduced](s.peers); m.Exchange {
		t.Error("wants to be told of peers of a private torrent")
	}
}

// Messages about peers come once in a while, and only where they may.
func TestExchangeIsHeldToItsRate(t *testing.T) {
	s := newTestSession(t)
	s.extension.publicity.Exchange = true
	news := func(now time.Time) bool {
		s.take(t, exchangeFrame(extended.ExchangeMessage{Added: contacts(1)}), now)
		defer func() { s.out = effects{} }()
		return s.out.news && len(s.out.heard) == 1
	}
	if !news(start) || news(start.Add(heardEvery-1)) || !news(start.Add(heardEvery)) {
		t.Error("is not held to one message in 45 s")
	}
	s.extension.publicity.Exchange = false
	if news(start.Add(time.Hour)) {
		t.Error("takes addresses for a private torrent")
	}
	n := 0
	for f := exchangeFrame(extended.ExchangeMessage{}); s.received(&f, start) == nil; n++ {
		if n > maxFlood {
			t.Fatal("bears a flood")
		}
	}
	s = newTestSession(t)
	s.extension.publicity.Exchange, n = true, 0
	for f := exchangeFrame(extended.ExchangeMessage{}); s.received(&f, start) == nil; n++ {
	}
	if n < 10 || n > maxFlood/costExchange {
		t.Errorf("%d messages at once are borne", n)
	}
}
