package store

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/world"
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
	timer world.Timer // nil: nothing waits
	due   bool        // what waits has waited enough
}

// gathered: the store's timer to itself.
type gathered struct{ owner *store }

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

func (g *gather) stop() {
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
	g.due = false
}

// ripe is how many of the jobs in front are to be done now as one batch. Pieces
// wait only if more are about to come and there is room for them.
func (s *store) ripe(c actor.Context) int {
	if len(s.jobs) == 0 {
		return 0
	}
	if s.health.failed || !s.jobs[0].joins() {
		return 1
	}
	n := 1
	for n < min(len(s.jobs), s.gather.most) && s.jobs[n].joins() {
		n++
	}
	g := &s.gather
	if n == g.most || n < len(s.jobs) || !g.flows() || g.due || len(s.flushes) > 0 || s.crowded() {
		g.stop()
		return n
	}
	if g.timer == nil {
		g.timer = world.SendAfter(c, s.World.Clock, gatherWait, &gathered{s})
	}
	return 0
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

// crowded tells that nothing is likely to come before something is finished:
// the pieces under way are the last, or fill the memory.
func (s *store) crowded() bool {
	pieces := len(s.jobs)
	for i := range s.slots {
		pieces += len(s.slots[i].jobs)
	}
	return pieces >= s.lacking || s.assembly.memory+int64(pieces)*s.Torrent.PieceLength >= s.memory*3/4
}
