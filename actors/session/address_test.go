package session

import (
	"fmt"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

func at(s string) netip.Addr { return netip.MustParseAddr(s) }

// from is a host of its own /24.
func from(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{50, byte(i >> 8), byte(i), 1}), 6881)
}

// TestOneNetworkHasOneVote: however many ports, addresses of a /24 or trackers
// of a torrent lie, they do not decide, be they the only ones.
func TestOneNetworkHasOneVote(t *testing.T) {
	lie := at("80.1.2.3")
	var e election
	for i := range 200 {
		voter := netip.AddrPortFrom(netip.AddrFrom4([4]byte{50, 1, 2, byte(i)}), uint16(1+i))
		if e.host(voter, lie) || e.tracker(fmt.Sprintf("tracker%d.test", i), lie) {
			t.Fatalf("after %d votes they have decided", i)
		}
	}
	if n := len(e.votes[0]); n != 1+trackerVotes {
		t.Errorf("%d votes are kept", n)
	}
	var six election
	for i := range 200 {
		voter := netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 1, 0, byte(i)}), 1)
		if six.host(voter, at("2001:db8:9::1")) {
			t.Fatal("one /48 has decided")
		}
	}
}

// TestOurAddressIsWhatMostSay: nodes, peers and trackers together; half of the
// latest votes do not change what most say.
func TestOurAddressIsWhatMostSay(t *testing.T) {
	ours, lie := at("70.1.2.3"), at("80.1.2.3")
	var e election
	for i := range enoughVotes - 1 {
		if e.host(from(i), ours) {
			t.Fatalf("%d votes decide", i+1)
		}
	}
	if !e.tracker("tracker.test", ours) || e.ours[0] != ours {
		t.Fatalf("%d votes do not decide", enoughVotes)
	}
	for i := range 20 {
		e.host(from(i), ours)
	}
	for i := range maxVotes / 2 {
		if e.host(from(i+100), lie) {
			t.Errorf("%d of %d decide", i+1, maxVotes)
		}
	}
	if !e.host(from(200), lie) || e.ours[0] != lie {
		t.Error("more than half of the latest do not decide")
	}
}

// TestWhatCannotBeOursDoesNotCount: nobody of the public network tells that we
// are at an address of this machine, a private network or the other family.
func TestWhatCannotBeOursDoesNotCount(t *testing.T) {
	for _, addr := range []string{"127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.1.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "2001:db8::1", "::ffff:127.0.0.1"} {
		var e election
		for i := range 20 {
			e.host(from(i), at(addr))
		}
		e.tracker("tracker.test", at(addr))
		e.tracker("50.1.2.3", at(addr))
		if e.ours != [2]netip.Addr{} || len(e.votes[0]) > 0 || addr != "2001:db8::1" && len(e.votes[1]) > 0 {
			t.Errorf("%s counts: %+v", addr, e)
		}
	}
	var e election
	for i := range enoughVotes {
		e.host(netip.AddrPortFrom(at("127.0.0.1"), uint16(1+i)), at("127.0.0.1"))
	}
	if e.ours[0] != at("127.0.0.1") {
		t.Error("hosts of this machine do not tell that we are at it")
	}
}

// TestElectionsAreBounded: whoever says what, few votes are kept, each network
// has one of them, and an address wins with more than half of them only.
func TestElectionsAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var e election
		for range rapid.IntRange(1, 100).Draw(t, "votes") {
			addr := netip.AddrFrom4([4]byte{70, 0, 0, rapid.ByteRange(1, 3).Draw(t, "addr")})
			changed := false
			if i := rapid.IntRange(0, 40).Draw(t, "voter"); i < 10 {
				changed = e.tracker(fmt.Sprint("tracker", i), addr)
			} else {
				changed = e.host(from(i), addr)
			}
			voters, agreed, trackers := map[voter]bool{}, 0, 0
			for _, v := range e.votes[0] {
				if voters[v.voter] {
					t.Fatalf("%v has two votes", v.voter)
				}
				voters[v.voter] = true
				if v.addr == e.ours[0] {
					agreed++
				}
				if v.voter.tracker != "" {
					trackers++
				}
			}
			if len(e.votes[0]) > maxVotes || trackers > trackerVotes {
				t.Fatalf("%d votes, %d of trackers", len(e.votes[0]), trackers)
			}
			if changed && (agreed < enoughVotes || 2*agreed <= len(e.votes[0]) || e.ours[0] != addr) {
				t.Fatalf("%v wins with %d of %d votes", addr, agreed, len(e.votes[0]))
			}
		}
	})
}

// TestOurAddressIsToldToTorrents: when most say it, and to a torrent that
// starts later.
func TestOurAddressIsToldToTorrents(t *testing.T) {
	s := newScene(t, false)
	s.add(1)
	for i := range enoughVotes - 1 {
		s.Tell(&messages.AddressReported{Voter: from(i), Addr: at("70.1.2.3")})
	}
	s.Tell(&messages.TorrentAnnounced{Replied: &messages.TrackerReplied{URL: "http://tracker.test/announce", External: at("70.1.2.3")}})
	if m := stage.Await[*messages.SetOurAddress](s.torrent); m.Addr != at("70.1.2.3") {
		t.Errorf("the torrent is told %v", m.Addr)
	}
	later := s.StartProbe("later")
	s.addAs(2, later)
	if m := stage.Await[*messages.SetOurAddress](later); m.Addr != at("70.1.2.3") {
		t.Errorf("a later torrent is told %v", m.Addr)
	}
}
