package scheduler

import (
	"testing"
	"time"

	"kouzui/messages"
)

func TestWhoIsOfNoUseMakesRoom(t *testing.T) {
	s := openSwarm(geometryOf(1000, BlockSize, BlockSize), "rarest", 1)
	const (
		seed messages.PeerKey = iota + 1
		snubber
		idler
		chokes
		waits
		takes
	)
	for key := seed; key <= takes; key++ {
		p := s.joinTest(key, full(s.pieces))
		p.rates.Flags.PeerInterested = key == waits || key == takes
		if key == idler {
			p.wanted = 0
		}
	}
	s.peerChoking(s.byKey[seed], &messages.PeerChoking{Window: 1})
	s.byKey[snubber].snubbed = true
	up := int64(0)
	var gone []messages.PeerKey
	for range 400 {
		s.now = s.now.Add(time.Second)
		p := s.byKey[seed]
		r := p.queue.at(0)
		s.blocksArrived(p, &messages.BlocksArrived{Blocks: []messages.Block{s.block(r.a.piece, r.i)}, Window: 1})
		up += 1000
		m := &messages.PeerRates{UpTotal: up}
		m.Flags.PeerInterested = true
		s.peerRates(s.byKey[takes], m)
		s.evictIdle()
		for _, p := range s.peers {
			if p.dismissed {
				gone = append(gone, p.Key)
				if p.dismissal != messages.GoneUseless {
					t.Errorf("peer %d goes as %v", p.Key, p.dismissal)
				}
				s.leave(p)
				break
			}
		}
		if n := len(s.peers); s.now.Sub(epoch) < maxIdle && n < 6 {
			t.Fatalf("%v go after %v", gone, s.now.Sub(epoch))
		}
	}
	if len(gone) != 4 || gone[0] > idler || gone[1] > idler {
		t.Errorf("%v have made room", gone)
	}
}
