package listener

import (
	"errors"
	"io"
	"net/netip"
	"testing"
	"time"

	"kouzui/actors/lab/stage"
	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/frame"
)

// A handshake is waited for ten seconds, also one that comes byte by byte.
func TestHandshakesHaveTenSeconds(t *testing.T) {
	s := perform(t, ":0")
	link := s.listen("").Accept(remote)
	s.Settle()
	if got := link.HandshakeTimeout(); got != 10*time.Second {
		t.Errorf("a handshake is waited for %v", got)
	}
	link.Close(io.EOF)
	s.Settle()
}

// A peer that sends its peer id last, or never, is answered as soon as it has
// named a torrent that is here; its handshake stays bounded in time.
func TestAnswersBeforeThePeerIDComes(t *testing.T) {
	for name, early := range map[string]bool{"routed": false, "before the routes": true} {
		t.Run(name, func(t *testing.T) {
			s := perform(t, ":0")
			l := s.bind("")
			torrent := s.StartProbe("torrent")
			accept := func(h frame.Handshake) *fake.Link {
				link := l.Accept(remote)
				s.Settle()
				link.HandshakeStart(h)
				return link
			}
			var link *fake.Link
			if early {
				link = accept(ours)
				s.Settle()
			}
			s.route(torrent)
			s.Tell(&messages.RefuseUnrouted{})
			if !early {
				link = accept(ours)
			}
			if h := link.AwaitHandshake(); h != frame.Ours(ours.InfoHash, self) {
				t.Errorf("answers %+v", h)
			}
			s.Quiet(torrent)
			link.Handshake(ours)
			if m := stage.Next[*messages.AdoptLink](torrent); m.Link != messages.Link(link) || m.Handshake != ours {
				t.Errorf("adopts %+v", m)
			}
			if err := accept(frame.Handshake{InfoHash: [20]byte{2}}).AwaitClose(); !errors.Is(err, errUnknown) {
				t.Error(err)
			}
			mute := accept(ours)
			mute.AwaitHandshake()
			mute.Close(io.EOF)
			s.Quiet(torrent)
		})
	}
}

// Connections that the gate has closed keep no place among those that wait for
// the routes.
func TestACrowdBeforeTheRoutesKeepsNobodyOut(t *testing.T) {
	s := &socket{gate: newGate()}
	network := fake.New(1).Network
	for i := range 4 * maxPending {
		link := network.NewLink(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 4000), true)
		if !s.gate.enter(link, noon) {
			t.Fatalf("connection %d is refused", i)
		}
		s.hold(&greeted{link: link, idLacks: true})
		s.hold(&greeted{link: link})
		if last := s.held[len(s.held)-1].(*greeted); last.link != messages.Link(link) || last.idLacks || len(s.held) > maxHeld {
			t.Fatalf("connection %d is not the last of %d that wait", i, len(s.held))
		}
	}
	evicted := s.held[0].of()
	s.gate.leave(evicted)
	held := len(s.held)
	s.hold(&greeted{link: evicted})
	if len(s.held) > held {
		t.Error("a connection that has ended waits")
	}
}
