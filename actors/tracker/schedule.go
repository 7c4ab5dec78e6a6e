package tracker

import (
	"math/rand/v2"
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/announce"
)

const (
	// A pass tries every URL of the tier once. The time from the begin of a pass
	// that fails to that of the next doubles from firstRetry to lastRetry, and is
	// leastRest from the end of a pass at least.
	firstRetry = 15 * time.Second
	lastRetry  = 80 * time.Second
	leastRest  = 12 * time.Second
	jitter     = 0.25 // a retry is drawn from 1-jitter to 1 of its time

	// announceTimeout is how long an announce may take. Once all URLs have failed,
	// a pass takes no longer than passTimeout, unless each would have less than
	// leastTimeout: of up to seven URLs that hang, one that comes back is used
	// within 90 s.
	announceTimeout = 30 * time.Second
	passTimeout     = 60 * time.Second
	leastTimeout    = 10 * time.Second

	// leastGap is from one announce to an early one, when the tracker gives no
	// least interval. It doubles as long as that brings too few peers, up to
	// aloneGap while no peer is connected: one that was away may be back.
	leastGap = time.Minute
	aloneGap = 2 * time.Minute

	numWant = 50 // peers asked for
)

// trackerURL is one URL of the tier, and what is known of the tracker there.
type trackerURL struct {
	url       string
	trackerID string
	started   bool      // it has replied to `started`
	asked     bool      // `started` is under way to it, and may have arrived
	notBefore time.Time // it asked not to be tried again until then
}

// schedule decides when to announce what, and to which URL of a tier (BEP 12).
// The URLs are tried in their order; one that replies moves to the front.
type schedule struct {
	urls          []*trackerURL // without those that asked never to be tried again
	on            bool
	totals        *messages.SetTotals // nil: not told yet
	completedSaid bool                // or never due

	next     int // index of the URL to be tried next
	failures int // passes that failed since the last reply
	retry    time.Time
	began    time.Time // when this pass began; zero: not yet

	// Of the last reply, which was that of the URL in front.
	replyAt  time.Time
	interval time.Duration
	earliest time.Time // no announce before, but for events
	// fruitless counts the early announces in a row that brought too few peers.
	fruitless int
}

// newSchedule shuffles the URLs, so that not everybody asks the first one.
func newSchedule(urls []string, rnd *rand.Rand) *schedule {
	s := &schedule{}
	for _, url := range urls {
		s.urls = append(s.urls, &trackerURL{url: url})
	}
	rnd.Shuffle(len(s.urls), func(i, j int) { s.urls[i], s.urls[j] = s.urls[j], s.urls[i] })
	return s
}

// start begins the announces, or goes on with them. What m tells of an earlier
// life of this tracker counts only while this life has had no reply.
func (s *schedule) start(m *messages.StartAnnouncing) {
	s.on = true
	s.completedSaid = s.completedSaid || m.Completed
	if s.hasStarted() {
		return
	}
	s.retry = later(s.retry, m.NotBefore)
	if m.Started {
		// To which URL `started` was said is not known any more.
		for _, u := range s.urls {
			u.started = true
		}
		s.earliest = m.NotBefore
	}
}

func (s *schedule) pause() { s.on = false }

func (s *schedule) hasStarted() bool {
	return slices.ContainsFunc(s.urls, func(u *trackerURL) bool { return u.started })
}

// setTotals takes over new totals.
func (s *schedule) setTotals(t *messages.SetTotals) {
	s.totals = t
	if !t.WantPeers {
		s.fruitless = 0
	}
}

// due is when the next announce is; false: not before something changes.
func (s *schedule) due() (time.Time, bool) {
	if !s.on || s.totals == nil || len(s.urls) == 0 {
		return time.Time{}, false
	}
	at := s.nextTry()
	switch {
	case s.next > 0, s.failures > 0, !s.urls[s.next].started, s.completeDue():
	case s.totals.WantPeers:
		gap := min(leastGap<<min(s.fruitless, 20), s.interval)
		if s.totals.Alone {
			gap = min(gap, aloneGap)
		}
		at = later(at, later(s.earliest, s.replyAt.Add(gap)))
	default:
		at = later(at, later(s.earliest, s.regular()))
	}
	return at, true
}

// nextTry is when the next URL may be tried, as far as failures matter; zero if
// no tracker is left that may be asked.
func (s *schedule) nextTry() time.Time {
	if len(s.urls) == 0 {
		return time.Time{}
	}
	return later(s.retry, s.urls[s.next].notBefore)
}

// regular is when the tracker that replied last wants to hear of us again.
func (s *schedule) regular() time.Time { return s.replyAt.Add(s.interval) }

// completeDue: `completed` is said once, to a tracker that has heard `started`.
func (s *schedule) completeDue() bool { return s.totals.Completed && !s.completedSaid }

// request is the announce to be made now. The caller adds what is the same in
// all announces: info hash, peer id, key and port.
func (s *schedule) request(now time.Time) (url string, r announce.Request) {
	u := s.urls[s.next]
	if s.began.IsZero() {
		s.began = now
	}
	r = s.requestTo(u)
	switch {
	case !u.started:
		r.Event = announce.Started
		u.asked = true
	case s.completeDue():
		r.Event = announce.Completed
	case s.totals.PartialSeed:
		r.Event = announce.Paused
	}
	// A complete torrent is in no hurry, but it asks for peers as well, and dials
	// them: a downloader that announced before us was not told our address.
	if s.totals.WantPeers || s.totals.Left == 0 || s.totals.PartialSeed {
		r.NumWant = numWant
	}
	return u.url, r
}

// timeout is how long the next announce may take.
func (s *schedule) timeout() time.Duration {
	if s.failures == 0 {
		return announceTimeout
	}
	return min(max(passTimeout/time.Duration(len(s.urls)), leastTimeout), announceTimeout)
}

// completeOwed: `completed` is due to a tracker that may be asked now.
func (s *schedule) completeOwed() bool {
	return s.totals != nil && len(s.urls) > 0 && s.urls[s.next].started && s.failures == 0 && s.completeDue()
}

// stopped is the last announce, to a tracker that may have heard `started`;
// false if there is none.
func (s *schedule) stopped() (url string, r announce.Request, ok bool) {
	i := slices.IndexFunc(s.urls, func(u *trackerURL) bool { return u.started || u.asked })
	if i < 0 || s.totals == nil {
		return "", r, false
	}
	r = s.requestTo(s.urls[i])
	r.Event = announce.Stopped
	return s.urls[i].url, r, true
}

func (s *schedule) requestTo(u *trackerURL) announce.Request {
	return announce.Request{
		Uploaded:   s.totals.Uploaded,
		Downloaded: s.totals.Downloaded,
		Left:       s.totals.Left,
		Compact:    true,
		TrackerID:  u.trackerID,
	}
}

// replied notes a reply to the last request.
func (s *schedule) replied(now time.Time, event announce.Event, r *announce.Reply) {
	u := s.urls[s.next]
	u.started, u.asked = true, false
	if r.TrackerID != "" {
		u.trackerID = r.TrackerID
	}
	s.completedSaid = s.completedSaid || event == announce.Completed
	s.urls = slices.Insert(slices.Delete(s.urls, s.next, s.next+1), 0, u)
	s.next, s.failures, s.retry, s.began = 0, 0, time.Time{}, time.Time{}

	least, interval := intervals(r)
	if s.totals.WantPeers && now.Before(s.regular()) {
		s.fruitless++
	}
	s.replyAt, s.interval, s.earliest = now, interval, now.Add(least)
}

// intervals are how long to wait at least, and regularly. Whatever a reply
// says, they stay within the limits of package announce, and neither is shorter
// than its tracker asks. A tracker whose regular interval is below leastGap has
// asked for that.
func intervals(r *announce.Reply) (least, regular time.Duration) {
	regular = r.Interval
	if regular <= 0 {
		regular = announce.DefaultInterval
	}
	least = r.MinInterval
	if least <= 0 {
		least = min(leastGap, regular)
	}
	clamp := func(d time.Duration) time.Duration {
		return min(max(d, announce.LeastInterval), announce.MostInterval)
	}
	least = clamp(least)
	return least, max(clamp(regular), least)
}

// failed notes that the last request failed. r is the tracker's reply, nil if
// there was none. The next URL has its turn at once; after the last one the
// tier rests. Exhausted: every URL has failed since the last reply.
func (s *schedule) failed(now time.Time, r *announce.Reply, rnd *rand.Rand) (exhausted bool) {
	u := s.urls[s.next]
	u.asked = false
	if r != nil && r.RetryIn > 0 {
		u.notBefore = now.Add(min(r.RetryIn, announce.MostInterval))
	}
	if r != nil && r.RetryNever {
		s.urls = slices.Delete(s.urls, s.next, s.next+1)
	} else {
		s.next++
	}
	for s.next < len(s.urls) && s.urls[s.next].notBefore.After(now) {
		s.next++
	}
	s.retry = time.Time{}
	if s.next == len(s.urls) {
		s.failures++
		s.rest(now, rnd)
	}
	return s.failures > 0
}

// rest puts the next pass off, which begins with the URL that may be tried
// first then.
func (s *schedule) rest(now time.Time, rnd *rand.Rand) {
	pause := min(firstRetry<<min(s.failures-1, 10), lastRetry)
	pause -= time.Duration(jitter * rnd.Float64() * float64(pause))
	s.retry = later(s.began.Add(pause), now.Add(leastRest))
	s.next, s.began = 0, time.Time{}
	for i, u := range s.urls {
		if later(u.notBefore, s.retry).Before(s.nextTry()) {
			s.next = i
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
