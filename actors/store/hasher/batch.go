package hasher

import (
	"cmp"
	"slices"
	"time"

	"kouzui/actors/store/assembly"
	"kouzui/wire/digest"
)

const (
	// MaxWait is how long a whole piece, or a run of a large one, waits for others
	// to be hashed beside it.
	MaxWait = 20 * time.Millisecond
	// maxGap is how far apart pieces may come, on average, for one to wait for the
	// next.
	maxGap = 4 * time.Millisecond
)

// gather decides whether whole pieces, or runs of large ones, wait for others
// to be hashed beside them.
type gather struct {
	most  int                     // pieces to be hashed side by side, 1 if it does not pay
	came  [digest.Lanes]time.Time // when the last pieces became whole, in turn
	count int                     // of pieces that became whole
	runs  bool                    // large pieces are hashed a run at a time
	due   bool                    // what waits has waited for MaxWait
}

// whole records that a piece is whole.
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
// few at a time. Runs always wait: to leave them unwritten costs nothing.
func (g *gather) ripe(joining, queued int, busy, hurry bool) int {
	n := min(joining, g.most)
	if n < g.most && n == queued && (busy || g.runs || g.flows()) && !g.due && !hurry {
		return 0
	}
	g.due = false
	return n
}

// joins tells whether a job can be hashed beside others: all that is not hashed
// yet is in memory, and follows what is.
func (j *Job) joins() bool {
	if j.Task == Check || j.sum {
		return false
	}
	next := j.Hashed.Bytes
	for _, b := range j.Blocks[j.unhashed():] {
		if b.Data == nil || int64(b.Begin) != next {
			return false
		}
		next += int64(b.Length)
	}
	return true
}

// unhashed is the index of the first of the job's blocks that is not hashed.
func (j *Job) unhashed() int {
	at, _ := slices.BinarySearchFunc(j.Blocks, j.Hashed.Bytes, func(b assembly.Block, hashed int64) int {
		return cmp.Compare(int64(b.Begin), hashed)
	})
	return at
}
