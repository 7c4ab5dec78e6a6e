package peers

import (
	"net/netip"
	"testing"
	"time"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

func TestDialsOnlyWhenWanted(t *testing.T) {
	s := newScene(t, 100)
	s.find(3)
	s.Settle()
	if len(s.born) != 0 {
		t.Fatal("dials before it is told to")
	}
	s.Tell(&messages.SetDialing{Dial: true})
	s.Settle()
	if len(s.born) != 3 {
		t.Fatalf("%d dials", len(s.born))
	}
}

func TestDialsNobodyOnTheBlocklist(t *testing.T) {
	s := newScene(t, 100)
	s.Tell(&messages.SetDialing{Dial: true})
	blocked := netip.MustParseAddr("203.0.113.7")
	s.Tell(&messages.AddCandidates{Addrs: []messages.PeerAddr{
		{Addr: netip.AddrPortFrom(blocked, 6881)}, {Addr: addrOf(1)},
		{Addr: netip.AddrPortFrom(netip.AddrFrom16(blocked.As16()), 6882), Source: messages.Manual},
	}})
	if m := stage.Next[*messages.AddressesBlocked](s.session); m.Inbound || m.Count != 2 {
		t.Errorf("%+v", m)
	}
	s.Settle()
	if p := <-s.born; p.Addr != addrOf(1) || len(s.born) > 0 {
		t.Errorf("dials %v and %d more", p.Addr, len(s.born))
	}
}

func TestDialsAreBoundedAndPaced(t *testing.T) {
	s := newScene(t, 30)
	s.find(200)
	s.Tell(&messages.SetDialing{Dial: true})
	s.Settle()
	if len(s.born) != maxHalfOpen {
		t.Fatalf("%d half open", len(s.born))
	}
	// For each that connects another is dialled: as many as a second allows at
	// once, then one at a time.
	for n := range 30 {
		s.ready(<-s.born, byte(n+1))
		stage.Next[*messages.PeerReady](s.scheduler)
		s.Settle()
		if dials := maxHalfOpen + n + 1; dials > dialsPerSecond && dials <= 30 {
			before := len(s.born)
			s.World.Clock.Advance(time.Second / dialsPerSecond)
			s.Settle()
			if len(s.born) != before+1 {
				t.Fatalf("after dial %d: %d more", dials, len(s.born)-before)
			}
		}
	}
	s.World.Clock.Advance(time.Minute)
	s.Settle()
	if len(s.born) != 0 {
		t.Errorf("%d dials over the limit of connections", len(s.born))
	}
	s.Tell(&messages.SetDialing{Dial: true})
	stage.Next[*messages.EvictIdlePeer](s.scheduler)
}

// A peer that was connected before refuses us while it takes our old connection
// for alive. It is dialled again soon.
func TestAKnownPeerThatRefusesIsTriedAgainSoon(t *testing.T) {
	s := newScene(t, 4)
	s.find(1)
	s.Tell(&messages.SetDialing{Dial: true})
	a := <-s.born
	s.ready(a, 'x')
	s.Tell(&messages.PeerGone{Key: a.Key, Addr: a.Addr, Reason: messages.GoneHandshake})
	s.end(a)
	s.World.Clock.Advance(5 * time.Second)
	s.Settle()
	if len(s.born) != 1 {
		t.Errorf("%d dials within 5 s", len(s.born))
	}
}

func TestAGonePeerIsTriedAgain(t *testing.T) {
	s := newScene(t, 100)
	s.find(1)
	s.Tell(&messages.SetDialing{Dial: true})
	s.Settle()
	first := <-s.born
	s.Tell(&messages.PeerReady{Key: first.Key, ID: [20]byte{'x'}, Addr: first.Addr})
	s.Tell(&messages.PeerGone{Key: first.Key, Addr: first.Addr, Reason: messages.GoneClosed})
	s.Tell(&messages.BanAddress{}) // of another peer
	stage.Next[*messages.PeerReady](s.scheduler)
	s.end(first)
	if len(s.born) != 0 {
		t.Error("dialled again at once")
	}
	s.World.Clock.Advance(5 * time.Second)
	s.Settle()
	if len(s.born) != 1 {
		t.Error("not tried again")
	}
}

// When the process has no connection left, the address is not to blame, the
// session is told, and one dial a second finds out when that has changed.
func TestAProcessWithTooManyConnectionsDialsSlowly(t *testing.T) {
	s := newScene(t, 100)
	s.find(1)
	s.Tell(&messages.SetDialing{Dial: true})
	exhausted := func(p Peer) {
		s.Tell(&messages.PeerGone{Key: p.Key, Addr: p.Addr, Reason: messages.GoneExhausted})
		s.end(p)
	}
	for range 20 { // as many failures would mean to wait for minutes
		exhausted(<-s.born)
		s.find(10)
		s.Settle()
		if len(s.born) > 0 {
			t.Fatal("dials again at once")
		}
		s.Tell(&messages.SetDialing{Dial: true})
		stage.Next[*messages.ConnectionsExhausted](s.session)
		s.Tell(&messages.SetDialing{Dial: true})
		s.Quiet(s.session)
		s.World.Clock.Advance(exhaustedPause)
		s.Settle()
		if len(s.born) != 1 {
			t.Fatalf("%d dials after a pause", len(s.born))
		}
	}
	s.ready(<-s.born, 'x')
	stage.Next[*messages.PeerReady](s.scheduler)
	s.Settle()
	if len(s.born) != 9 {
		t.Errorf("%d dials once there is room", len(s.born))
	}
}
