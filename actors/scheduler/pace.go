package scheduler

import "time"

const (
	// tick is how often peers that can take more requests are looked at. A slow
	// peer can delay the end of a download by this long.
	tick = 250 * time.Millisecond
	// reportPeriod is how often Progress comes.
	reportPeriod = time.Second
	// restPeriod is how often Progress comes when nothing can change: all wanted
	// pieces are there, and no peer is connected.
	restPeriod = 10 * time.Second
)

// wantedPace is how soon timePassed is to be called even if no message comes.
func (s *swarm) wantedPace() time.Duration {
	switch {
	case s.planner.starved && len(s.peers) > 0:
		return tick
	case s.complete() && s.disk.finished && len(s.peers) == 0:
		return restPeriod
	}
	return reportPeriod
}

// timePassed does what is due though no message has come.
func (s *swarm) timePassed() {
	s.planner.timePassed()
	s.superLook()
	s.reportEvery(reportPeriod)
}
