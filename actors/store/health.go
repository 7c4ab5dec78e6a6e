package store

import (
	"errors"
	"time"

	"kouzui/actors/store/resume"
	"kouzui/actors/world"
	"kouzui/messages"
)

const (
	// retryFirst and retryMost are the shortest and the longest wait before a
	// write is tried again. The wait doubles with each failure: a full disk seldom
	// gets room within a second, but once it does, the download should go on soon.
	retryFirst = time.Second
	retryMost  = 30 * time.Second
)

// health is whether writes to the disk succeed. After a write has failed, all
// others wait, and after a while a single one is tried: the probe.
type health struct {
	failed  bool
	probing bool // the probe may be made
	delay   time.Duration
}

// allows tells whether something may be written now.
func (h *health) allows() bool { return !h.failed || h.probing }

// take records that a write begins, and tells whether it is the probe.
func (h *health) take() (probe bool) {
	h.probing = false
	return h.failed
}

// report records the result of a write. It tells the scheduler and the torrent
// when writes begin to fail, and when they succeed again. It returns whether
// the write succeeded.
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

// retryDue: it is time for a probe.
func (s *core) retryDue() {
	s.out.timers[retryTimer].fired()
	s.health.probing = true
}

func isFull(err error) bool { return errors.Is(err, world.ErrFull) }
