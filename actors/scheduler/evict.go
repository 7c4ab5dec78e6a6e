package scheduler

import (
	"time"

	"kouzui/messages"
)

// Connections are few, and a hostile peer may hold one on purpose. When other
// peers wait, the connection ends over which no payload has moved, either way,
// for longest. These are the times that it is granted.
const (
	maxIdle   = 30 * time.Second // neither side wants anything, or the peer does not answer
	maxChoked = 5 * time.Minute  // one side wants something and is choked
)

// maxUseless is for how long no payload may move before p can be evicted.
func (p *peer) maxUseless() time.Duration {
	if p.snubbed || p.wanted == 0 && !p.rates.Flags.PeerInterested {
		return maxIdle
	}
	return maxChoked
}

// evictIdle dismisses the peer that has exceeded its maxUseless by most, if any
// has.
func (s *swarm) evictIdle() {
	var worst *peer
	var most time.Duration
	for _, p := range s.peers {
		if over := s.now.Sub(p.useful) - p.maxUseless(); over > most && !p.dismissed && !p.isWebSeed() {
			worst, most = p, over
		}
	}
	if worst != nil {
		s.orders.dismiss(worst, messages.GoneUseless)
	}
}
