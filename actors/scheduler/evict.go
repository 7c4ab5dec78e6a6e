package scheduler

import (
	"time"

	"kouzui/messages"
)

// Whoever has been of no use for long makes room when others wait: connections
// are few, and who only holds one may mean to. Use is payload, either way; how
// long we bear without depends on what may still come of it.
const (
	bearIdle    = 30 * time.Second // nobody wants anything, or it does not answer
	bearChoking = 5 * time.Minute
)

// bear is for how long p may be of no use.
func (p *peer) bear() time.Duration {
	if p.snubbed || p.wanted == 0 && !p.rates.Flags.PeerInterested {
		return bearIdle
	}
	return bearChoking
}

// makeRoom ends the connection that has been of no use for longest beyond what
// we bear, if there is one.
func (s *swarm) makeRoom() {
	var worst *peer
	var most time.Duration
	for _, p := range s.peers {
		if over := s.now.Sub(p.useful) - p.bear(); over > most && !p.dismissed {
			worst, most = p, over
		}
	}
	if worst != nil {
		s.dismiss(worst, messages.GoneUseless)
	}
}

func (s *swarm) peerRates(p *peer, m *messages.PeerRates) {
	if m.UpTotal > p.rates.UpTotal {
		p.useful = s.now
	}
	p.rates = *m
}
