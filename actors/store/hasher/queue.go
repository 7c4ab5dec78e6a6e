package hasher

import (
	"fmt"
	"slices"
	"time"

	"kouzui/actors/store/assembly"
	"kouzui/actors/world"
	"kouzui/wire/buffer"
	"kouzui/wire/digest"
	"kouzui/wire/metainfo"
)

const (
	// maxLost is how many workers a job may cost before the store fails.
	maxLost = 1
	// checkMemory is how many bytes all workers together read at a time in a
	// check: 256 KiB of each piece with two workers. More does not make a check
	// faster.
	checkMemory = 4 << 20
)

// Queue holds the jobs for the hash workers of one store. It is part of that
// store's core.
type Queue struct {
	// Waiting: whole pieces or runs wait for others to be hashed beside them. If
	// that lasts for MaxWait, WaitedEnough is to be called.
	Waiting bool

	// What waits or is in the hands of workers: whole pieces, and bytes of blocks.
	Whole int
	Bytes int64

	pieceLength int64
	machine     world.Machine
	plan        world.HashPlan
	memory      int64  // bytes
	workers     []slot // by index
	jobs        []*Job // to be done, in order; jobs whose write has failed come first
	unchecked   []int  // pieces to be checked, before any job
	gather      gather
	spare       []*Job
}

// slot is a worker and what it works on.
type slot struct {
	deliver func(any) // to its present incarnation; nil until it is ready
	jobs    []*Job    // in no order, as they come back one by one
}

func (w *slot) batch() *Batch { return &Batch{slices.Clone(w.jobs), w.deliver} }

// NewQueue returns a queue for some workers on a machine.
func NewQueue(t *metainfo.Torrent, workers int, machine world.Machine) *Queue {
	return &Queue{pieceLength: t.PieceLength, machine: machine, workers: make([]slot, workers)}
}

// SetMemory says how many bytes of payload there may be in memory, and returns
// how pieces are hashed with so much.
func (q *Queue) SetMemory(bytes int64) world.HashPlan {
	q.memory = bytes
	q.plan = q.machine.PlanHashing(bytes, q.pieceLength)
	q.gather.most, q.gather.runs = q.plan.Together, q.plan.Run > 0
	return q.plan
}

// Ready notes that a worker has started. If it had jobs, its last incarnation
// died with them, and they are to be handed to it again. It is an error if that
// has happened to a job before.
func (q *Queue) Ready(m *Ready) (*Batch, error) {
	w := &q.workers[m.Index]
	w.deliver = m.Deliver
	if len(w.jobs) == 0 {
		return nil, nil
	}
	for _, j := range w.jobs {
		if j.lost++; j.lost > maxLost {
			return nil, fmt.Errorf("%d hash workers died of the same job", j.lost)
		}
	}
	return w.batch(), nil
}

// Verify has a whole piece hashed and, if it is right, written. sum: the hash
// of each block is needed too.
func (q *Queue) Verify(p *assembly.Piece, sum bool, now time.Time) {
	j := q.newJob(Verify)
	j.Piece, j.sum = p, sum
	j.Blocks = append(j.Blocks, p.Blocks...)
	q.push(j)
	q.gather.whole(now)
}

// Spill queues a job that writes the blocks that from picks of one piece. It
// returns false if from returns no piece.
func (q *Queue) Spill(from func([]assembly.Block) (*assembly.Piece, []assembly.Block)) bool {
	j := q.newJob(Spill)
	if j.Piece, j.Blocks = from(j.Blocks); j.Piece == nil {
		q.spare = append(q.spare, j)
		return false
	}
	q.push(j)
	return true
}

func (q *Queue) push(j *Job) {
	j.Hashed.Set(j.Piece.Hashed)
	j.beside = j.joins()
	for _, b := range j.Blocks {
		if b.Data != nil {
			j.bytes += int64(b.Length)
		}
	}
	if j.Task == Verify {
		q.Whole++
	}
	q.Bytes += j.bytes
	q.jobs = append(q.jobs, j)
}

// Check sets the pieces on disk that are to be hashed. Check(nil) ends the
// check.
func (q *Queue) Check(pieces []int) { q.unchecked = pieces }

// Retry puts a job at the head of the queue, to be done again.
func (q *Queue) Retry(j *Job) {
	j.beside = j.joins()
	q.jobs = slices.Insert(q.jobs, 0, j)
}

// Next returns a batch for a worker that has nothing to do, nil if there is no
// such worker or nothing to be done yet. If single is set, the batch has one
// job. If hurry is set, no piece waits for others to be hashed beside it.
func (q *Queue) Next(single, hurry bool) *Batch {
	i := slices.IndexFunc(q.workers, func(w slot) bool { return w.deliver != nil && len(w.jobs) == 0 })
	if i < 0 {
		return nil
	}
	w := &q.workers[i]
	if len(q.unchecked) > 0 {
		w.jobs = append(w.jobs, q.nextCheck())
		return w.batch()
	}
	n := q.ripe(single, hurry)
	if n == 0 {
		return nil
	}
	w.jobs = append(w.jobs, q.jobs[:n]...)
	q.jobs = slices.Delete(q.jobs, 0, n)
	return w.batch()
}

// nextCheck takes as many pieces as can be hashed side by side, but leaves some
// to the other workers. Going from one piece to the next costs a hard disk a
// seek. Pieces are therefore read in long parts, which use some of the memory
// that is otherwise for downloaded blocks.
func (q *Queue) nextCheck() *Job {
	n := 1
	if q.machine.SideBySide() {
		n = min(digest.Lanes, (len(q.unchecked)+len(q.workers)-1)/len(q.workers))
	}
	j := q.newJob(Check)
	j.Pieces, q.unchecked = q.unchecked[:n], q.unchecked[n:]
	j.checked = n * int(q.pieceLength)
	j.each = int(max(1, min(window, min(q.memory/2, checkMemory)/int64(n*len(q.workers))/buffer.Size)))
	return j
}

// ripe is how many of the jobs in front are to be done now as one batch.
func (q *Queue) ripe(single, hurry bool) int {
	joining := 0
	for joining < min(len(q.jobs), q.gather.most) && q.jobs[joining].beside {
		joining++
	}
	if joining == 0 || single {
		return min(1, len(q.jobs))
	}
	n := q.gather.ripe(joining, len(q.jobs), q.Busy() > 0, hurry)
	q.Waiting = n == 0
	return n
}

// WaitedEnough ends Waiting.
func (q *Queue) WaitedEnough() { q.Waiting, q.gather.due = false, true }

// Returned notes that a worker has sent a job back. It returns false if no
// worker of this queue has the job: a store that is restarted with its mailbox
// may read jobs that its earlier incarnation handed out.
func (q *Queue) Returned(j *Job) (known bool) {
	for i := range q.workers {
		w := &q.workers[i]
		if at := slices.Index(w.jobs, j); at >= 0 {
			w.jobs, known = slices.Delete(w.jobs, at, at+1), true
		}
	}
	return known
}

// Len is how many jobs no worker has yet.
func (q *Queue) Len() int { return len(q.jobs) }

// Busy is how many jobs the workers have.
func (q *Queue) Busy() (n int) {
	for i := range q.workers {
		n += len(q.workers[i].jobs)
	}
	return n
}

// Close returns the jobs that no worker has.
func (q *Queue) Close() []*Job {
	jobs := q.jobs
	q.jobs = nil
	return jobs
}

// Reuse keeps a finished job, to save an allocation for a later one.
func (q *Queue) Reuse(j *Job) {
	if j.Task == Verify {
		q.Whole--
	}
	q.Bytes -= j.bytes
	clear(j.Blocks)
	j.Piece = nil
	q.spare = append(q.spare, j)
}

func (q *Queue) newJob(t Task) *Job {
	j := &Job{}
	if n := len(q.spare); n > 0 {
		j, q.spare = q.spare[n-1], q.spare[:n-1]
	}
	*j = Job{Task: t, Blocks: j.Blocks[:0], Sums: j.Sums[:0], Right: j.Right[:0], Blank: j.Blank[:0], Filled: j.Filled[:0], Hashed: assembly.Prefix{State: j.Hashed.State[:0]}}
	return j
}
