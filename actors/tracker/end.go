package tracker

import (
	"time"

	"kouzui/wire/announce"
)

// ending is how the announces are brought to their end. Up to half of the time
// is for what is under way and for a `completed` that is due, the rest for
// `stopped`.
type ending struct {
	until time.Time
	hurry bool // nothing is said any more but `stopped`
	done  bool // nothing is said any more
}

// last is the next announce of those that the end consists of, and how long it
// may take; false: all is said.
func (e *ending) last(s *schedule, now time.Time) (url string, r announce.Request, within time.Duration, ok bool) {
	if !e.hurry && s.completeOwed() {
		url, r = s.request(now)
		return url, r, announceTimeout, true
	}
	url, r, ok = s.stopped()
	return url, r, e.until.Sub(now), ok
}
