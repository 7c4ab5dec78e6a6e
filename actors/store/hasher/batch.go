package hasher

import (
	"time"

	"kouzui/wire/digest"
)

const (
	// MaxWait is how long a whole piece waits for others to be hashed beside it.
	MaxWait = 20 * time.Millisecond
	// maxGap is how far apart pieces may come, on average, for one to wait for the
	// next.
	maxGap = 4 * time.Millisecond
	// longRun is how many bytes of a large piece are hashed and written at a time
	// before the rest has come: whole, the piece would fill the memory.
	longRun = 1 << 20
)

// gather decides whether whole pieces wait for others to be hashed beside them.
type gather struct {
	most  int                     // pieces to be hashed side by side, 1 if it does not pay
	came  [digest.Lanes]time.Time // when the last pieces became whole, in turn
	count int                     // of pieces that became whole
	due   bool                    // the pieces that wait have waited for MaxWait
}

// together is how many pieces of a length are hashed side by side, which may
// fill five eighths of the memory; 1 if that is fewer than least.
func together(memory, pieceLength int64, least int) int {
	n := int(min(memory*5/8/pieceLength, digest.Lanes))
	if n < least {
		return 1
	}
	return n
}

// extent is the length in bytes from which a run of blocks is hashed and
// written before the rest of its piece has arrived; 0 if none is.
func extent(together int, pieceLength int64) int64 {
	if together > 1 || pieceLength <= 2*longRun {
		return 0
	}
	return longRun
}

// whole records that a piece has become whole.
func (g *gather) whole(now time.Time) {
	g.came[g.count%digest.Lanes] = now
	g.count++
}

// flows tells whether the last pieces came quickly, on average.
func (g *gather) flows() bool {
	if g.count <= g.most {
		return false
	}
	first, last := g.came[(g.count-g.most)%digest.Lanes], g.came[(g.count-1)%digest.Lanes]
	return last.Sub(first) <= time.Duration(g.most)*maxGap
}

// ripe is how many pieces are to be hashed now, of the joining pieces at the
// head of the queue, which can be hashed side by side; 0 means that they wait
// for more, for MaxWait at the most. They wait only if nothing else is queued
// and hurry is not set, and then if pieces come quickly or a worker is busy:
// until that worker is done they fill a batch, where a second worker would hash
// few at a time.
func (g *gather) ripe(joining, queued int, busy, hurry bool) int {
	n := min(joining, g.most)
	if n < g.most && n == queued && (busy || g.flows()) && !g.due && !hurry {
		return 0
	}
	g.due = false
	return n
}

// joins tells whether a job can be done beside others.
func (j *Job) joins() bool {
	if j.Task != Verify || j.sum {
		return false
	}
	for i := range j.Blocks {
		if j.Blocks[i].Data == nil {
			return false
		}
	}
	return true
}
