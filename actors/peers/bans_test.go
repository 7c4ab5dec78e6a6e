package peers

import (
	"net/netip"
	"testing"
	"time"

	"kouzui/actors/lab/stage"
	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/frame"
)

func TestABannedPeerIsLetGoAndItsNeighbourStays(t *testing.T) {
	s := newScene(t, 100)
	s.find(2)
	s.Tell(&messages.SetDialing{Dial: true})
	s.Settle()
	a, b := <-s.born, <-s.born
	s.ready(a, 1)
	s.ready(b, 2)
	s.Tell(&messages.BanAddress{Addr: a.Addr, Reason: "sent rubbish"})
	if got := stage.Next[*messages.Disconnect](s.children); got.Reason != messages.GoneBanned {
		t.Errorf("let go as %v", got.Reason)
	}
	s.Tell(&messages.AddCandidates{Addrs: []messages.PeerAddr{{Addr: a.Addr}}})
	s.World.Clock.Advance(time.Hour)
	s.Settle()
	if len(s.born) != 0 {
		t.Error("a banned peer is dialled again")
	}
	s.Quiet(s.children)
}

// A banned peer that came in is refused by its id; others from the same host
// are let in.
func TestABannedPeerThatCameInIsKnownByItsID(t *testing.T) {
	s := newScene(t, 100)
	adopt := func(port uint16, id byte) *fake.Link {
		link := s.World.Network.NewLink(netip.AddrPortFrom(addrOf(1).Addr(), port), true)
		s.Tell(&messages.AdoptLink{Link: link, Handshake: frame.Handshake{PeerID: [20]byte{id}}})
		s.Settle()
		return link
	}
	adopt(5001, 1)
	bad := <-s.born
	s.ready(bad, 1)
	adopt(5002, 2)
	s.ready(<-s.born, 2)
	s.Tell(&messages.BanAddress{Addr: bad.Addr, Inbound: true, ID: [20]byte{1}, Reason: "sent rubbish"})
	stage.Await[*messages.Disconnect](s.children)
	s.Quiet(s.children)

	if err := adopt(5003, 1).AwaitClose(); err == nil || len(s.born) != 0 {
		t.Error("a banned peer is let in from another port")
	}
	adopt(5004, 3)
	if len(s.born) != 1 {
		t.Error("its neighbour is not let in")
	}
	stage.Await[*messages.AdoptLink](s.children)
	<-s.born
	// A peer that we dial there is not to blame: the id may have been stolen from
	// it.
	s.Tell(&messages.SetDialing{Dial: true})
	s.Tell(&messages.AddCandidates{Addrs: []messages.PeerAddr{{Addr: netip.AddrPortFrom(addrOf(1).Addr(), 6881)}}})
	s.ready(<-s.born, 1)
	s.Quiet(s.children)
}

// An id that two peers from one host use at a time is not banned: one of them
// may have stolen it from the other.
func TestAStolenIDIsNotBanned(t *testing.T) {
	s := newScene(t, 100)
	adopt := func(port uint16) Peer {
		link := s.World.Network.NewLink(netip.AddrPortFrom(addrOf(1).Addr(), port), true)
		s.Tell(&messages.AdoptLink{Link: link, Handshake: frame.Handshake{PeerID: [20]byte{1}}})
		p := <-s.born
		stage.Next[*messages.AdoptLink](s.children)
		s.ready(p, 1)
		return p
	}
	thief := adopt(5001)
	adopt(5002)
	s.Tell(&messages.BanAddress{Addr: thief.Addr, Inbound: true, ID: [20]byte{1}, Reason: "sent rubbish"})
	if got := stage.Next[*messages.Disconnect](s.children); got.Reason != messages.GoneBanned {
		t.Errorf("the thief is let go as %v", got.Reason)
	}
	s.Quiet(s.children)
	adopt(5003)
}

func TestBansAreBounded(t *testing.T) {
	b := newBans()
	for i := range 2 * maxBans {
		b.addAddr(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1))
	}
	if len(b.all) != maxBans || len(b.inOrder) != maxBans {
		t.Errorf("%d bans, %d in order", len(b.all), len(b.inOrder))
	}
}
