package scheduler

import (
	"testing"
	"time"

	"kouzui/messages"
)

// The first peer that takes pieces fast enough ends super-seeding before its
// rates are known, unless the user wants it in any case. What lies in a
// socket's buffer proves nothing.
func TestAFastPeerEndsSuperSeeding(t *testing.T) {
	for _, c := range []struct {
		when  messages.SuperSeeding
		sent  int64
		after time.Duration
		ends  bool
	}{
		{messages.SuperSeedAuto, fastProof, 10 * time.Millisecond, true},
		{messages.SuperSeedAlways, fastProof, 10 * time.Millisecond, false},
		{messages.SuperSeedAuto, fastProof - 1, 10 * time.Millisecond, false},
		{messages.SuperSeedAuto, fastProof, time.Minute, false},
	} {
		s := seedOf(c.when)
		p := s.joinEmpty(1)
		s.now = s.now.Add(c.after)
		s.peerRates(p, &messages.PeerRates{Key: 1, At: s.now, UpTotal: c.sent})
		if ended := !s.super.active; ended != c.ends {
			t.Errorf("%s, %d bytes in %v: ended %v", c.when, c.sent, c.after, ended)
		}
	}
}

func TestSuperSeedingEndsWhenNothingMoves(t *testing.T) {
	s := seedOf(messages.SuperSeedAlways)
	for key := range messages.PeerKey(2) {
		s.reports(s.joinEmpty(key+1), 0)
	}
	s.haveOrders()
	s.now = s.now.Add(superStall + time.Second)
	s.superLook()
	told := 0
	for _, n := range s.haveOrders() {
		told += n
	}
	if s.super.active || told < 2*superPieces-2*2*leastShown {
		t.Errorf("active %v, %d haves", s.super.active, told)
	}
	for _, p := range s.peers {
		p.rates.Flags.PeerInterested = false
		if !s.needsData(p) {
			t.Error("a peer is taken to want nothing before it can have heard of what there is")
		}
	}
}

// A time without peers is no standstill.
func TestSuperSeedingOutlastsATimeWithoutPeers(t *testing.T) {
	s := seedOf(messages.SuperSeedAlways)
	s.now = s.now.Add(time.Hour)
	s.superLook()
	s.joinEmpty(1)
	s.superLook()
	if !s.super.active {
		t.Error("super-seeding ended though nobody waited for anything until the first peer came")
	}
}

// A downloader does not super-seed, nor a seed whose user does not want it,
// that knows another seed, or that can upload everything at once anyway.
func TestWhoDoesNotSuperSeed(t *testing.T) {
	if s := seedOf(messages.SuperSeedNever); s.super.active {
		t.Error("never is not never")
	}
	if s := openSwarm(geometryOf(4, 1<<18, 1<<18), "rarest", 1); s.super.active {
		t.Error("a downloader super-seeds")
	}
	s := seedOf(messages.SuperSeedAuto)
	s.joinEmpty(1)
	s.peerBitfield(s.joinEmpty(2), full(superPieces))
	if s.super.active {
		t.Error("with another seed")
	}
	for when, want := range map[messages.SuperSeeding]bool{messages.SuperSeedAuto: false, messages.SuperSeedAlways: true} {
		s := seedOf(when)
		for key := range messages.PeerKey(2) {
			p := s.joinEmpty(key + 1)
			s.peerRates(p, &messages.PeerRates{Key: p.Key, At: s.now, UpNow: float64(s.length)})
		}
		s.superLook()
		if s.super.active != want {
			t.Errorf("%s, on a fast line: %v", when, s.super.active)
		}
	}
}
