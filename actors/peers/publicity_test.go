package peers

import (
	"testing"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/frame"
)

// A peer hears what may be told before it has a connection; it hears of each
// change, and again when it has been restarted.
func TestPeersHearWhatMayBeTold(t *testing.T) {
	s := newScene(t, 100)
	hears := func(want messages.SetPublicity) {
		t.Helper()
		if m := stage.Next[*messages.SetPublicity](s.children); *m != want {
			t.Errorf("a peer hears %+v, want %+v", *m, want)
		}
	}
	adopt := func(host int) Peer {
		s.Tell(&messages.AdoptLink{Link: s.World.Network.NewLink(addrOf(host), true), Handshake: frame.Handshake{PeerID: [20]byte{byte(host)}}})
		return <-s.born
	}
	adopt(1)
	stage.Next[*messages.AdoptLink](s.children) // nothing is known, so nothing is said

	open, closed := messages.SetPublicity{Exchange: true, DHT: true}, messages.SetPublicity{}
	s.Tell(&open)
	hears(open)
	second := adopt(2)
	hears(open)
	stage.Next[*messages.AdoptLink](s.children)

	s.Tell(&closed)
	hears(closed)
	hears(closed)
	s.Tell(&messages.PeerGone{Key: second.Key, Reason: messages.GoneFailed})
	hears(closed)
	s.Tell(&messages.PeerGone{Key: second.Key, Reason: messages.GoneClosed})
	s.Quiet(s.children)
}

// A peer is told the port at which others can dial us now.
func TestPeersAreToldTheLastPort(t *testing.T) {
	s := newScene(t, 100)
	for host, port := range []uint16{0, 6881, 7001} {
		if port != 0 {
			s.Tell(&messages.SetListenPort{Port: port})
		}
		s.Tell(&messages.AdoptLink{Link: s.World.Network.NewLink(addrOf(1+host), true), Handshake: frame.Handshake{PeerID: [20]byte{byte(1 + host)}}})
		if p := <-s.born; p.Port != port {
			t.Errorf("told %d, want %d", p.Port, port)
		}
	}
}
