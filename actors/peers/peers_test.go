package peers

import (
	"net/netip"
	"testing"
	"time"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/frame"
)

func TestRefusesItself(t *testing.T) {
	s := newScene(t, 100)
	s.find(1)
	s.Tell(&messages.SetDialing{Dial: true})
	p := <-s.born
	s.Tell(&messages.PeerReady{Key: p.Key, ID: self, Addr: p.Addr})
	if got := stage.Next[*messages.Disconnect](s.children); got.Reason != messages.GoneSelf {
		t.Errorf("it meets itself and calls it %v", got.Reason)
	}
	s.Quiet(s.scheduler)
}

// Of two connections with one id at one host, that which we dialled is never
// given up: a peer that came in may have stolen the id.
func TestWhatWeDialledGivesWayToNobody(t *testing.T) {
	const soon, late = crossing - 1, crossing
	dialled, came := slot{}, slot{Peer: Peer{Inbound: true}}
	usefulDial, usefulCame := dialled, came
	usefulDial.useful, usefulCame.useful = true, true
	for _, tt := range []struct {
		name         string
		older, newer slot
		apart        time.Duration
		small, large bool // what came in goes, if our id is the smaller one, the larger one
	}{
		{"two dials that crossed", dialled, came, soon, false, true},
		{"the same, seen the other way round", came, dialled, soon, false, true},
		{"the same, where we got something", usefulDial, came, soon, false, true},
		{"the same, and what came in is of use", usefulCame, dialled, soon, false, true},
		{"a claim, where we got nothing yet", dialled, came, late, false, false},
		{"a claim, where we got something", usefulDial, came, late, true, true},
		{"a squatter, and whom it is named after", came, dialled, late, true, true},
		{"one of use, and where it seems to listen", usefulCame, dialled, late, false, false},
		{"two dials", usefulDial, dialled, soon, false, false},
		{"two claims", usefulCame, came, late, false, false},
	} {
		older, newer := tt.older, tt.newer
		older.id, newer.id = [20]byte{2}, [20]byte{2}
		older.since, newer.since = start, start.Add(tt.apart)
		for id, goes := range map[byte]bool{1: tt.small, 3: tt.large} {
			k := &connections{self: [20]byte{id}}
			lost := k.redundant(&newer, &older)
			if lost != nil != goes || goes && !lost.Inbound {
				t.Errorf("%s, our id %d: %+v goes", tt.name, id, lost)
			}
		}
	}
}

// No peer loses its connection because others use its id, from other hosts or,
// a few, from its own.
func TestAnotherWithTheSameIDTakesNothingAway(t *testing.T) {
	s := newScene(t, 100)
	adopt := func(host int, port uint16) Peer {
		link := s.World.Network.NewLink(netip.AddrPortFrom(addrOf(host).Addr(), port), true)
		s.Tell(&messages.AdoptLink{Link: link, Handshake: frame.Handshake{PeerID: [20]byte{'x'}}})
		p := <-s.born
		stage.Next[*messages.AdoptLink](s.children)
		s.ready(p, 'x')
		return p
	}
	for port := range uint16(maxSameID) {
		adopt(1, 5000+port)
		stage.Next[*messages.PeerReady](s.scheduler)
	}
	for host := range maxSameID {
		adopt(2+host, 5000) // from another host: another peer
		stage.Next[*messages.PeerReady](s.scheduler)
	}
	s.Quiet(s.children)
	adopt(1, 6000) // one too many, and no other has been connected for long
	stage.Next[*messages.Disconnect](s.children)
	s.Quiet(s.children, s.scheduler)
	s.World.Clock.Advance(crossing)
	adopt(1, 6001) // in place of one over which no payload has moved since
	stage.Next[*messages.Disconnect](s.children)
	stage.Next[*messages.PeerReady](s.scheduler)
	// A connection that we dial is not counted.
	s.Tell(&messages.SetDialing{Dial: true})
	s.find(1)
	s.ready(<-s.born, 'x')
	stage.Next[*messages.PeerReady](s.scheduler)
}

func TestIncomingConnectionsAreBounded(t *testing.T) {
	s := newScene(t, 4)
	adopt := func(host int) error {
		link := s.World.Network.NewLink(addrOf(host), true)
		s.Tell(&messages.AdoptLink{Link: link, Handshake: frame.Handshake{PeerID: [20]byte{byte(host)}}})
		s.Settle()
		select {
		case <-s.born:
			stage.Next[*messages.AdoptLink](s.children)
			return nil
		default:
			return link.AwaitClose()
		}
	}
	for i, want := range []bool{true, true, false} {
		if err := adopt(1); (err == nil) != want {
			t.Fatalf("connection %d of one host: %v", i+1, err)
		}
	}
	for host := 2; host < 4; host++ {
		if err := adopt(host); err != nil {
			t.Fatalf("another host: %v", err)
		}
	}
	if err := adopt(9); err == nil {
		t.Error("more connections than the limit")
	}
	s.Tell(&messages.SetDialing{Dial: true})
	stage.Next[*messages.EvictIdlePeer](s.scheduler)
	s.Tell(&messages.SetDialing{Dial: true})
	s.Quiet(s.scheduler) // no peer was turned away since
}

// Inbound peers do not take all connections while there are addresses to dial.
func TestSomeConnectionsAreKeptForThoseThatWeDial(t *testing.T) {
	s := newScene(t, 10)
	s.find(30) // and no peer is dialled yet
	s.Settle()
	in := 0
	for host := range 20 {
		link := s.World.Network.NewLink(addrOf(100+host), true)
		s.Tell(&messages.AdoptLink{Link: link, Handshake: frame.Handshake{PeerID: [20]byte{byte(host)}}})
		s.Settle()
		if len(s.born) > in {
			in++
		} else if err := link.AwaitClose(); err == nil {
			t.Fatal("turned away without a reason")
		}
	}
	if want := 10 - 10/reservedShare; in != want {
		t.Errorf("%d came in, want %d", in, want)
	}
	s.Tell(&messages.SetDialing{Dial: true})
	s.Settle()
	if len(s.born) != 10 {
		t.Errorf("%d connections after dialling, want all 10", len(s.born))
	}
}

// At the end all peers are stopped before the scheduler is told, and no other
// is dialled.
func TestAllPartBeforeTheCountsAreSummedUp(t *testing.T) {
	s := newScene(t, 10)
	s.find(2)
	s.Tell(&messages.SetDialing{Dial: true})
	<-s.born
	<-s.born
	s.Tell(&messages.CloseConnections{ReplyTo: s.torrent.PID})
	stage.Next[*messages.CloseConnections](s.scheduler)
	for _, n := range s.Tree.Snapshot() {
		if n.Kind == "peer" {
			t.Errorf("%s is still there", n.Path)
		}
	}
	s.find(3)
	s.Tell(&messages.SetDialing{Dial: true})
	s.Settle()
	if len(s.born) > 0 {
		t.Error("somebody is dialled at the end")
	}
}
