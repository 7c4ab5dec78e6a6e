package dht

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"kouzui/wire/krpc"
)

// TestATorrentWithoutPeersLooksOn: a torrent that is connected to none of the
// peers that were found, as when that is itself, is soon told of one that comes
// later; and however long it stays alone, its lookups stay rare.
func TestATorrentWithoutPeersLooksOn(t *testing.T) {
	u := village(t, 10)
	hash := krpc.ID{1, 2, 3}
	u.want(u.order[3], hash, 3000)
	u.run(time.Minute)
	alone := u.want(u.order[0], hash, 4000)
	u.run(2 * time.Minute)
	if dead := netip.AddrPortFrom(host(3).Addr(), 3000); !slices.Contains(u.peers[alone], dead) {
		t.Fatalf("it has found %v", u.peers[alone])
	}
	u.want(u.order[5], hash, 5000)
	u.run(5 * time.Minute)
	if other := netip.AddrPortFrom(host(5).Addr(), 5000); !slices.Contains(u.peers[alone], other) {
		t.Errorf("it has found %v", u.peers[alone])
	}
	s := u.order[0].searchOf(hash)
	for range 4 * 24 {
		s.lookup = nil
		u.order[0].searched(&lookup{search: s}, u.now)
		if pause := s.due.Sub(u.now); pause < urgentPause || pause > 2*announceEvery {
			t.Fatalf("the next lookup is after %v", pause)
		}
	}
}

// TestTwoThatStartTogetherMeet: what the first sends comes before the second is
// there, so that only one of them is asked.
func TestTwoThatStartTogetherMeet(t *testing.T) {
	u := newUniverse(t, 7)
	a := u.join(host(0), host(1))
	u.run(50 * time.Millisecond)
	b := u.join(host(1), host(0))
	u.run(time.Second)
	if a.table.alive() != 1 || b.table.alive() != 1 {
		t.Errorf("they know %d and %d nodes", a.table.alive(), b.table.alive())
	}
}

// TestANodeThatStartsLaterIsAskedAgain: the node that we begin with knows
// nobody and starts after our first query. Two torrents meet there long before
// that query has timed out.
func TestANodeThatStartsLaterIsAskedAgain(t *testing.T) {
	hash := krpc.ID{1, 2, 3}
	for _, later := range []time.Duration{50 * time.Millisecond, time.Second, 3 * time.Second} {
		u := newUniverse(t, 7)
		first := u.want(u.join(host(0), host(1)), hash, 4000)
		u.run(later)
		second := u.want(u.join(host(1)), hash, 5000)
		u.run(2 * shortTimeout)
		if len(u.peers[first])+len(u.peers[second]) == 0 {
			t.Errorf("started %v later, they have not met", later)
		}
	}
}

// TestRepeatsAreBounded: contacts that never answer are asked a few times more,
// all together.
func TestRepeatsAreBounded(t *testing.T) {
	u := newUniverse(t, 7)
	sent := 0
	u.delay = func(netip.AddrPort, netip.AddrPort) time.Duration { sent++; return -1 }
	u.join(host(0), host(1), host(2), host(3))
	u.run(timeout)
	if sent != 3+maxRepeats {
		t.Errorf("%d queries were sent to 3 contacts", sent)
	}
}
