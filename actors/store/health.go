package store

import (
	"errors"
	"time"

	"kouzui/actors/store/resume"
	"kouzui/actors/world"
	"kouzui/messages"
)

const (
	// retryFirst and retryMost bound the wait before a write is tried again. It
	// doubles: a full disk is seldom full for a second only, but nobody wants to
	// wait for minutes when there is room again.
	retryFirst = time.Second
	retryMost  = 30 * time.Second
)

// health is whether the disk takes what is written. When it refuses, all writes
// wait, and after a while one is tried: the probe.
type health struct {
	failed  bool
	probing bool // the probe may be made
	delay   time.Duration
}

// allows tells whether something may be written now.
func (h *health) allows() bool { return !h.failed || h.probing }

// take notes that something is going to be written, and tells whether it is the
// probe.
func (h *health) take() (probe bool) {
	h.probing = false
	return h.failed
}

// report notes how a write went, and tells the others if the disk refuses, or
// takes writes again. It returns whether the write succeeded.
func (s *core) report(err error, probe bool) bool {
	h := &s.health
	switch {
	case err == nil && h.failed && probe:
		s.out.timers[retryTimer].stop()
		*h = health{}
		s.tellBoth(&messages.StoreRecovered{})
	case err != nil && (!h.failed || probe):
		h.delay = min(max(2*h.delay, retryFirst), retryMost)
		s.out.timers[retryTimer].start(h.delay)
		if !h.failed {
			fatal := errors.Is(err, resume.ErrForeign) || errors.Is(err, world.ErrLinked)
			s.tellBoth(&messages.StoreFailed{Err: err, Full: isFull(err), Fatal: fatal})
		}
		h.failed = true
	}
	return err == nil
}

// retryDue: the disk has had time enough.
func (s *core) retryDue() {
	s.out.timers[retryTimer].fired()
	s.health.probing = true
}

func isFull(err error) bool { return errors.Is(err, world.ErrFull) }
