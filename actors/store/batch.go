package store

import (
	"time"

	"kouzui/wire/digest"
)

const (
	// gatherWait is how long a whole piece waits for others, so that they are
	// hashed side by side; gatherGap how soon after each other they must have come,
	// on average, to be worth the wait.
	gatherWait = 20 * time.Millisecond
	gatherGap  = 4 * time.Millisecond
	// worthExtending is how many bytes of a large piece are hashed and written at
	// a time while the rest is under way: whole, it would fill the memory.
	worthExtending = 1 << 20
)

// gather holds whole pieces back for each other's company.
type gather struct {
	most  int                     // pieces to be hashed side by side, 1 if it does not pay
	came  [digest.Lanes]time.Time // when the last pieces did, in turn
	count int
	due   bool // what waits has waited enough
}

// together is how many pieces of a length are hashed at a time, when five eighths
// of the memory are there for them; fewer than least are not worth it.
func together(memory, pieceLength int64, least int) int {
	n := int(min(memory*5/8/pieceLength, digest.Lanes))
	if n < least {
		return 1
	}
	return n
}

// extent is how long a run of a piece has to be to be hashed and written before
// the rest is there, 0 if the piece waits to be whole.
func extent(together int, pieceLength int64) int64 {
	if together > 1 || pieceLength <= 2*worthExtending {
		return 0
	}
	return worthExtending
}

// whole takes note that a piece has become whole.
func (g *gather) whole(now time.Time) {
	g.came[g.count%digest.Lanes] = now
	g.count++
}

// flows tells that pieces have come quickly of late, a pause or two set aside.
func (g *gather) flows() bool {
	if g.count <= g.most {
		return false
	}
	first, last := g.came[(g.count-g.most)%digest.Lanes], g.came[(g.count-1)%digest.Lanes]
	return last.Sub(first) <= time.Duration(g.most)*gatherGap
}

// ripe is how many of the pieces in front are to be hashed now, of joining that
// can be side by side; 0: they wait for more. They do so only if more are about
// to come, which last denies, and nobody else stands behind them.
func (g *gather) ripe(joining, waiting int, last bool) int {
	n := min(joining, g.most)
	if n < g.most && n == waiting && g.flows() && !g.due && !last {
		return 0
	}
	g.due = false
	return n
}

// crowded tells that nothing is likely to come before something is finished: the
// pieces that are whole are the last of those lacking, or they and what else is
// held fill the memory.
func crowded(whole, lacking int, pieceLength, held, memory int64) bool {
	return whole >= lacking || held+int64(whole)*pieceLength >= memory*3/4
}

// joins tells that a job can be hashed beside others.
func (j *job) joins() bool {
	if j.task != taskPiece || j.want {
		return false
	}
	for i := range j.blocks {
		if j.blocks[i].data == nil {
			return false
		}
	}
	return true
}
