package scheduler

import (
	"time"

	"kouzui/messages"
)

// Connections are few, and who only holds one may mean to. When others wait,
// the one goes that has been of no use for longest: over which no payload has
// moved, either way. How long that may last depends on what may still come of
// it.
const (
	maxIdle   = 30 * time.Second // neither side wants anything, or it does not answer
	maxChoked = 5 * time.Minute  // it wants something of us, or we of it
)

// maxUseless is for how long p may be of no use.
func (p *peer) maxUseless() time.Duration {
	if p.snubbed || p.wanted == 0 && !p.rates.Flags.PeerInterested {
		return maxIdle
	}
	return maxChoked
}

// evictIdle dismisses the peer that has been of no use for the longest time
// beyond what it may, if there is one.
func (s *swarm) evictIdle() {
	var worst *peer
	var most time.Duration
	for _, p := range s.peers {
		if over := s.now.Sub(p.useful) - p.maxUseless(); over > most && !p.dismissed {
			worst, most = p, over
		}
	}
	if worst != nil {
		s.orders.dismiss(worst, messages.GoneUseless)
	}
}
