package store

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
)

// keepUp lets the keeper finish, or save what should not be lost, and answers
// those who wait for it.
func (s *store) keepUp(c actor.Context) {
	idle := !s.busy() && (len(s.jobs) == 0 || s.health.failed)
	switch {
	case s.keeper.chore != nil || s.keeper.pid == nil:
	case s.lacking == 0 && !s.finished && s.health.allows():
		s.keep(c, choreFinish)
	case s.unsaved && (s.saveDue || idle && len(s.flushes) > 0):
		s.keep(c, choreSave)
	case s.restDue:
		s.restDue = false
		s.keeper.chore = &chore{owner: s, task: choreRest}
		s.keeper.hand(c)
	case idle:
		s.flushed(c, nil)
	}
	if s.unsaved && !s.saveDue && s.saving == nil {
		s.saving = supervise.SendAfter(c, s.World.Clock, saveEvery, &saveNow{})
	}
}

// restLater sees that files do not stay open for long when nobody uses them. All
// torrents do that at the same moments.
func (s *store) restLater(c actor.Context) {
	if s.resting == nil && !s.restDue && s.phase != dead {
		s.resting = supervise.SendAtNext(c, s.World.Clock, restEvery, &restNow{})
	}
}

func (s *store) keep(c actor.Context, t choreTask) {
	k := &chore{owner: s, task: t, stamps: s.stamps, verified: s.have.Clone()}
	for i := range s.dirty.EachSet() {
		k.dirty = append(k.dirty, int(i))
	}
	for i := range s.doubtful.Difference(s.dirty).EachSet() {
		k.doubtful = append(k.doubtful, int(i))
	}
	if t == choreFinish {
		k.empty = s.found.emptyFiles(s.Torrent)
		k.probe = s.health.take()
	}
	s.dirty.ClearAll()
	s.doubtful.ClearAll()
	s.stamps = nil
	s.unsaved, s.saveDue = false, false
	s.keeper.chore = k
	s.keeper.hand(c)
}

// back takes from the keeper what was lent to it.
func (s *store) back(m *chore) {
	s.stamps = m.stamps
	if m.err == nil {
		return
	}
	s.unsaved = true // with the next timer, or the next Flush
	for _, i := range m.dirty {
		s.dirty.Set(uint(i))
	}
	for _, i := range m.doubtful {
		s.doubtful.Set(uint(i))
	}
}

func (s *store) saved(c actor.Context, m *chore) {
	if len(m.dirty) == 0 {
		m.err = nil // the journal alone: without it there is a check, and to seed it may be refused
	}
	s.back(m)
	switch {
	case errors.Is(m.err, errChanged):
		s.flushed(c, nil) // what nobody vouches for is checked
	case m.err != nil:
		s.flushed(c, m.err)
	}
}

func (s *store) moved(c actor.Context, m *chore) {
	s.back(m)
	if s.health.report(c, s, m.err, m.probe) {
		s.tellFinished(c)
	}
}

func (s *store) tellFinished(c actor.Context) {
	s.finished = true
	c.Send(s.Refs.Scheduler, &messages.StoreFinished{Whole: true})
}

func (s *store) tellBoth(c actor.Context, m any) {
	c.Send(s.Refs.Scheduler, m)
	c.Send(s.Refs.Torrent, m)
}

func (s *store) flushed(c actor.Context, err error) {
	for _, pid := range s.flushes {
		c.Send(pid, &messages.Flushed{Err: err})
	}
	s.flushes = nil
}

// health is how the disk takes what is written. When it refuses, everything
// that is not under way waits, and after a while one try, the probe, is made.
type health struct {
	failed  bool
	probing bool // the try may be made
	delay   time.Duration
	timer   world.Timer
}

// allows tells whether something may be written now.
func (h *health) allows() bool { return !h.failed || h.probing }

// take says that something is going to be written, and whether it is the probe.
func (h *health) take() (probe bool) {
	h.probing = false
	return h.failed
}

// report enters how a write went, and tells the scheduler when that changes
// anything. It returns whether the write succeeded.
func (h *health) report(c actor.Context, s *store, err error, probe bool) bool {
	switch {
	case err == nil && h.failed && probe:
		h.stop()
		*h = health{}
		s.tellBoth(c, &messages.StoreRecovered{})
	case err != nil && (!h.failed || probe):
		h.delay = min(max(2*h.delay, retryFirst), retryMost)
		h.timer = supervise.SendAfter(c, s.World.Clock, h.delay, &retryNow{})
		if !h.failed {
			s.tellBoth(c, &messages.StoreFailed{Err: err, Full: isFull(err), Fatal: errors.Is(err, ErrForeign) || errors.Is(err, world.ErrLinked)})
		}
		h.failed = true
	}
	return err == nil
}

func (h *health) stop() {
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
}

func isFull(err error) bool { return errors.Is(err, world.ErrFull) }
