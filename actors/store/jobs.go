package store

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/supervise"
)

// slot is a worker and what it works on.
type slot struct {
	pid  *actor.PID // nil until it is ready
	gate *gate      // of its incarnation
	job  *job
}

func (w *slot) hand(c actor.Context) { c.Send(w.pid, &handed{gate: w.gate, job: w.job}) }

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
	if w.job != nil {
		s.countLoss(&w.job.lost, true)
		w.hand(c)
	}
}

func (s *store) countLoss(lost *int, again bool) {
	if !again {
		return
	}
	if *lost++; *lost > maxLost {
		supervise.Fail(fmt.Errorf("store: %d workers died with the same work", *lost))
	}
}

// dispatch gives a job to each worker that has none.
func (s *store) dispatch(c actor.Context) {
	for i := range s.slots {
		w := &s.slots[i]
		if w.pid == nil || w.job != nil {
			continue
		}
		j := s.nextJob()
		if j == nil {
			return
		}
		w.job = j
		w.hand(c)
	}
}

func (s *store) nextJob() *job {
	switch {
	case s.phase == checking:
		return s.nextCheck()
	case s.phase == dead:
		return nil
	case len(s.jobs) == 0 || !s.health.allows():
		return nil
	}
	j := s.jobs[0]
	s.jobs = append(s.jobs[:0], s.jobs[1:]...)
	j.probe = s.health.take()
	return j
}

// newJob makes a job, or takes one that is done.
func (s *store) newJob(t task, piece int) *job {
	j := &job{}
	if n := len(s.spare); n > 0 {
		j, s.spare = s.spare[n-1], s.spare[:n-1]
	}
	*j = job{owner: s, task: t, piece: piece, blocks: j.blocks[:0], sums: j.sums[:0], has: j.has[:0]}
	return j
}

func (s *store) jobDone(c actor.Context, j *job) {
	for i := range s.slots {
		if s.slots[i].job == j {
			s.slots[i].job = nil
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
		if s.slots[i].job != nil {
			return true
		}
	}
	return false
}
