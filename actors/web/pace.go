package web

import "time"

const (
	// minRun is how many blocks are asked for at once at first, maxRun how many at
	// most. A request for each few blocks makes servers answer 1 to 3 pieces a
	// second; what is asked of a web seed is kept from others, and counts as
	// memory.
	minRun = 16  // 256 KiB
	maxRun = 128 // 2 MiB
	// A run that took less than runTime makes the next one longer, and one that
	// took longer than slowFactor times that makes it shorter: a slow server is
	// not to keep a lot from others for long.
	runTime    = time.Second
	slowFactor = 4
	// windowRuns is how many runs are asked of us ahead, so that the next one
	// stands ready when one ends.
	windowRuns = 2
)

// pace decides how long runs are.
type pace struct {
	run   int // blocks
	began time.Time
}

func newPace() pace { return pace{run: minRun} }

func (p *pace) window() int { return windowRuns * p.run }

func (p *pace) begins(now time.Time) { p.began = now }

// ended takes the end of a run of so many blocks. A short run says nothing of
// how a long one would fare.
func (p *pace) ended(blocks int, now time.Time) {
	switch took := now.Sub(p.began); {
	case took > slowFactor*runTime:
		p.run = max(p.run/2, minRun)
	case took < runTime && 2*blocks >= p.run:
		p.run = min(2*p.run, maxRun)
	}
}
