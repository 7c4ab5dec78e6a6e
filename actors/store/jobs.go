package store

import (
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
)

// slot is a worker and what it works on.
type slot struct {
	pid  *actor.PID // nil until it is ready
	gate *gate      // of its incarnation
	jobs []*job     // in no order; they come back one by one
}

func (w *slot) hand(c actor.Context) {
	c.Send(w.pid, &handed{gate: w.gate, jobs: slices.Clone(w.jobs)})
}

type keeperSlot struct {
	pid   *actor.PID
	gate  *gate
	chore *chore
}

func (k *keeperSlot) hand(c actor.Context) { c.Send(k.pid, &handed{gate: k.gate, chore: k.chore}) }

// workerReady: a worker or the keeper has started. If it had work, it died with
// it and gets it again; the second time the store dies with it.
func (s *store) workerReady(c actor.Context, m *workerReady) {
	if m.index == keeperIndex {
		again := s.keeper.pid != nil
		s.keeper.pid, s.keeper.gate = m.pid, m.gate
		if k := s.keeper.chore; k != nil {
			s.countLoss(&k.lost, again)
			s.keeper.hand(c)
		}
		return
	}
	w := &s.slots[m.index]
	w.pid, w.gate = m.pid, m.gate
	if len(w.jobs) > 0 {
		for _, j := range w.jobs {
			s.countLoss(&j.lost, true)
		}
		w.hand(c)
	}
}

func (s *store) countLoss(lost *int, again bool) {
	if !again {
		return
	}
	if *lost++; *lost > maxLost {
		supervise.Fail(fmt.Errorf("store: %d workers died of the same work", *lost))
	}
}

// dispatch gives jobs to each worker that has none.
func (s *store) dispatch(c actor.Context) {
	for i := range s.slots {
		w := &s.slots[i]
		if w.pid == nil || len(w.jobs) > 0 {
			continue
		}
		if w.jobs = s.nextJobs(c, w.jobs); len(w.jobs) == 0 {
			return
		}
		w.hand(c)
	}
}

// nextJobs appends to dst what a worker is to do next.
func (s *store) nextJobs(c actor.Context, dst []*job) []*job {
	switch {
	case s.phase == checking:
		if j := s.nextCheck(); j != nil {
			dst = append(dst, j)
		}
		return dst
	case s.phase == dead || !s.health.allows():
		return dst
	}
	n := s.ripe(c)
	dst = append(dst, s.jobs[:n]...)
	s.jobs = slices.Delete(s.jobs, 0, n)
	if n > 0 {
		dst[0].probe = s.health.take()
	}
	return dst
}

// ripe is how many of the jobs in front are to be done now as one batch.
func (s *store) ripe(c actor.Context) int {
	joining := 0
	for joining < min(len(s.jobs), s.gather.most) && s.jobs[joining].joins() {
		joining++
	}
	if joining == 0 || s.health.failed {
		return min(1, len(s.jobs))
	}
	n := s.gather.ripe(joining, len(s.jobs), len(s.flushes) > 0 || s.crowded())
	switch {
	case n > 0:
		s.stopGathering()
	case s.gathering == nil:
		s.gathering = supervise.SendAfter(c, s.World.Clock, gatherWait, &gathered{})
	}
	return n
}

func (s *store) stopGathering() {
	if s.gathering != nil {
		s.gathering.Stop()
		s.gathering = nil
	}
}

func (s *store) crowded() bool {
	whole := len(s.jobs)
	for i := range s.slots {
		whole += len(s.slots[i].jobs)
	}
	return crowded(whole, s.lacking, s.Torrent.PieceLength, s.assembly.memory, s.memory)
}

// newJob makes a job, or takes one that is done.
func (s *store) newJob(t task, piece int) *job {
	j := &job{}
	if n := len(s.spare); n > 0 {
		j, s.spare = s.spare[n-1], s.spare[:n-1]
	}
	*j = job{owner: s, task: t, piece: piece, blocks: j.blocks[:0], sums: j.sums[:0], has: j.has[:0], prefix: prefix{state: j.prefix.state[:0]}}
	return j
}

func (s *store) jobDone(c actor.Context, j *job) {
	for i := range s.slots {
		w := &s.slots[i]
		if at := slices.Index(w.jobs, j); at >= 0 {
			w.jobs = slices.Delete(w.jobs, at, at+1)
		}
	}
	switch {
	case s.phase == dead:
		s.jobs = append(s.jobs, j) // its blocks are released with the others
		return
	case j.task == taskCheck:
		s.checked(c, j)
	case !s.health.report(c, s, j.err, j.probe):
		s.jobs = append([]*job{j}, s.jobs...)
		return
	case j.task == taskSpill:
		s.markDirty(j)
		s.spilled(c, j)
	case j.good:
		s.markDirty(j)
		s.verified(c, j)
	default:
		s.corrupt(c, j)
	}
	clear(j.blocks)
	j.part = nil
	s.spare = append(s.spare, j)
}

func (s *store) busy() bool {
	for i := range s.slots {
		if len(s.slots[i].jobs) > 0 {
			return true
		}
	}
	return false
}
