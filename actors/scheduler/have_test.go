package scheduler

import (
	"fmt"
	"testing"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
)

// Each peer of a crowd has its turn within crowdTime, however large the crowd
// is and however often pieces are verified; and no more peers are told than
// that takes.
func TestTurnsOfACrowd(t *testing.T) {
	for _, peers := range []int{crowd + 1, 1000, 1999, 5000, 20_000} {
		for _, step := range []time.Duration{500 * time.Microsecond, 7 * time.Millisecond, 32 * time.Millisecond, haveWait} {
			var n haves
			n.turn(peers, epoch)
			looks, words := 0, 0
			for at := step; at <= crowdTime; at += step {
				l, w := n.turn(peers, epoch.Add(at))
				looks, words = looks+l, words+w
			}
			least := max(peers, crowdShare*int(crowdTime/haveWait))
			if words < least-least/50 || words > least+least/50 {
				t.Errorf("%d peers, pieces every %v: %d told within %v, want some %d", peers, step, words, crowdTime, least)
			}
			if looks < words {
				t.Errorf("%d peers, pieces every %v: %d looks for %d told", peers, step, looks, words)
			}
		}
	}
}

// Turns that were not needed are not made up for later.
func TestTurnsAreNotSavedUp(t *testing.T) {
	var n haves
	n.turn(1000, epoch)
	if _, words := n.turn(1000, epoch.Add(time.Hour)); words != crowdShare {
		t.Errorf("%d words at once, want %d", words, crowdShare)
	}
}

// Each peer of a crowd is told of each piece that it lacks, once and in bounded
// time; a peer that may download from us, at once.
func TestACrowdHearsOfEverything(t *testing.T) {
	for _, peers := range []int{crowd, crowd + 1, 2500} {
		t.Run(fmt.Sprint(peers), func(t *testing.T) {
			const pieces, unchoked = 400, 7
			s := openSwarm(geometryOf(pieces, BlockSize, BlockSize), "", 1)
			for i := range peers {
				p := s.joinTest(messages.PeerKey(i), bitset.New(pieces).Set(uint(i%pieces)))
				p.rates.Flags.AmChoking = i%unchoked != 0
			}
			verified := make([]time.Time, pieces)
			heard := map[messages.PeerKey]*bitset.BitSet{}
			last := epoch
			tell := func(p *peer, m *messages.AnnounceHave) {
				late := crowdTime + haveWait
				if !p.rates.Flags.AmChoking || peers <= crowd {
					late = 0
				}
				if heard[p.Key] == nil {
					heard[p.Key] = bitset.New(pieces)
				}
				for _, piece := range m.Pieces {
					if heard[p.Key].Test(uint(piece)) {
						t.Fatalf("peer %d hears twice of piece %d", p.Key, piece)
					}
					heard[p.Key].Set(uint(piece))
					if took := s.now.Sub(verified[piece]); took > late {
						t.Fatalf("peer %d hears of piece %d after %v", p.Key, piece, took)
					}
				}
				last = s.now
			}
			for piece := range uint32(pieces) {
				s.now = s.now.Add(time.Duration(s.planner.rng.Int64N(int64(haveWait))))
				verified[piece] = s.now
				s.pieceVerified(piece)
				s.spread(tell)
			}
			for len(s.haves.pieces) > 0 {
				s.now = s.now.Add(haveWait)
				s.spread(tell)
			}
			for key, of := range heard {
				if n := of.Count(); n < pieces-1 {
					t.Errorf("peer %d heard of %d pieces", key, n)
				}
			}
			if len(heard) != peers || last.Before(verified[pieces-1]) {
				t.Errorf("%d of %d peers heard", len(heard), peers)
			}
		})
	}
}

// Peers that have a piece themselves are not told of it, and do not delay those
// that lack it.
func TestHavesFindPeersThatLackThem(t *testing.T) {
	const peers = 1000
	s := openSwarm(geometryOf(2, BlockSize, BlockSize), "", 1)
	for i := range peers {
		have := bitset.New(2).Set(0)
		if i%100 == 99 {
			have = bitset.New(2)
		}
		s.joinTest(messages.PeerKey(i), have).rates.Flags.AmChoking = true
	}
	s.pieceVerified(0)
	told := 0
	for range peers / crowd {
		s.now = s.now.Add(haveWait)
		s.spread(func(p *peer, _ *messages.AnnounceHave) {
			if told++; p.have.Any() {
				t.Errorf("peer %d is told what it has", p.Key)
			}
		})
	}
	if told != peers/100 {
		t.Errorf("%d hear, want %d", told, peers/100)
	}
}
