package tracker

import (
	"math/rand/v2"
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/announce"
)

const (
	// firstRetry doubles with each pass through a tier that fails, up to
	// lastRetry, from the begin of one pass to that of the next.
	firstRetry = 15 * time.Second
	lastRetry  = 80 * time.Second
	leastRest  = 12 * time.Second // from the end of a pass
	jitter     = 0.25             // a retry is drawn from 1-jitter to 1 of its time

	// patience is how long an announce may take. Once all have failed, no pass
	// takes longer than passPatience, if leastPatience for each allows it: of up
	// to seven URLs that hang, one that comes back is used within 90 s.
	patience      = 30 * time.Second
	passPatience  = 60 * time.Second
	leastPatience = 10 * time.Second

	// leastGap is from one announce to an early one, when the tracker gives no
	// least interval. It doubles as long as that brings too few peers, up to
	// aloneGap while there is none at all: one that was away may be back.
	leastGap = time.Minute
	aloneGap = 2 * time.Minute

	numWant = 50
)

// source is one URL of the tier and what is known of it.
type source struct {
	url       string
	trackerID string
	started   bool      // it has replied to `started`
	asked     bool      // `started` is under way to it, and may have arrived
	barred    time.Time // it asked to be left alone until then
}

// schedule decides when to announce what, and to which URL of a tier (BEP 12).
// The URLs are tried in their order; one that replies moves to the front.
type schedule struct {
	sources  []*source // never those that asked not to be tried again
	on       bool
	totals   *messages.SetTotals // nil: not told yet
	complete bool                // `completed` is said, or never due

	at       int // of the source that is next
	failures int // passes through all sources since the last reply
	retry    time.Time
	began    time.Time // when this pass began; zero: not yet

	// Of the last reply, which was that of the source in front.
	replyAt  time.Time
	interval time.Duration
	earliest time.Time // no announce before, but for events
	hungry   int       // early announces that brought too few peers
}

// newSchedule shuffles the URLs, so that not everybody asks the first one.
func newSchedule(urls []string, rnd *rand.Rand) *schedule {
	s := &schedule{}
	for _, url := range urls {
		s.sources = append(s.sources, &source{url: url})
	}
	rnd.Shuffle(len(s.sources), func(i, j int) { s.sources[i], s.sources[j] = s.sources[j], s.sources[i] })
	return s
}

// start begins the announces, or goes on with them. What the torrent knows
// better than a tracker that was restarted counts only for one that has had no
// reply itself.
func (s *schedule) start(m *messages.StartAnnouncing) {
	s.on = true
	s.complete = s.complete || m.Completed
	if s.hasStarted() {
		return
	}
	s.retry = later(s.retry, m.NotBefore)
	if m.Started {
		// Which URL it was is forgotten: `stopped` is owed to one of them.
		for _, u := range s.sources {
			u.started = true
		}
		s.earliest = m.NotBefore
	}
}

func (s *schedule) standBy() { s.on = false }

func (s *schedule) hasStarted() bool {
	return slices.ContainsFunc(s.sources, func(u *source) bool { return u.started })
}

// tell takes over new totals.
func (s *schedule) tell(t *messages.SetTotals) {
	s.totals = t
	if !t.WantPeers {
		s.hungry = 0
	}
}

// due is when the next announce is; false: not before something changes.
func (s *schedule) due() (time.Time, bool) {
	if !s.on || s.totals == nil || len(s.sources) == 0 {
		return time.Time{}, false
	}
	at := s.nextTry()
	switch {
	case s.at > 0, s.failures > 0, !s.sources[s.at].started, s.completeDue():
	case s.totals.WantPeers:
		gap := min(leastGap<<min(s.hungry, 20), s.interval)
		if s.totals.Alone {
			gap = min(gap, aloneGap)
		}
		at = later(at, later(s.earliest, s.replyAt.Add(gap)))
	default:
		at = later(at, later(s.earliest, s.regular()))
	}
	return at, true
}

// nextTry is when the next source may be asked, as far as failures matter; zero
// if none may ever.
func (s *schedule) nextTry() time.Time {
	if len(s.sources) == 0 {
		return time.Time{}
	}
	return later(s.retry, s.sources[s.at].barred)
}

// regular is when the source in front wants to hear of us again.
func (s *schedule) regular() time.Time { return s.replyAt.Add(s.interval) }

// completeDue: `completed` is said once, to a tracker that has heard `started`.
func (s *schedule) completeDue() bool { return s.totals.Completed && !s.complete }

// next is the announce to be made now. The caller adds who and where we are.
func (s *schedule) next(now time.Time) (url string, r announce.Request) {
	u := s.sources[s.at]
	if s.began.IsZero() {
		s.began = now
	}
	r = s.request(u)
	switch {
	case !u.started:
		r.Event = announce.Started
		u.asked = true
	case s.completeDue():
		r.Event = announce.Completed
	}
	// A complete torrent is in no hurry, but it too dials those it hears of: who
	// announced before it does not know it.
	if s.totals.WantPeers || s.totals.Left == 0 {
		r.NumWant = numWant
	}
	return u.url, r
}

// patience is how long the next announce may take.
func (s *schedule) patience() time.Duration {
	if s.failures == 0 {
		return patience
	}
	return min(max(passPatience/time.Duration(len(s.sources)), leastPatience), patience)
}

// completeOwed says that `completed` is due to a source that may be asked now.
func (s *schedule) completeOwed() bool {
	return s.totals != nil && len(s.sources) > 0 && s.sources[s.at].started && s.failures == 0 && s.completeDue()
}

// farewell is the last announce, to a URL that knows us; false if none does.
func (s *schedule) farewell() (url string, r announce.Request, ok bool) {
	i := slices.IndexFunc(s.sources, func(u *source) bool { return u.started || u.asked })
	if i < 0 || s.totals == nil {
		return "", r, false
	}
	r = s.request(s.sources[i])
	r.Event = announce.Stopped
	return s.sources[i].url, r, true
}

func (s *schedule) request(u *source) announce.Request {
	return announce.Request{
		Uploaded:   s.totals.Uploaded,
		Downloaded: s.totals.Downloaded,
		Left:       s.totals.Left,
		Compact:    true,
		TrackerID:  u.trackerID,
	}
}

// replied takes note of a reply to the announce that next gave.
func (s *schedule) replied(now time.Time, event announce.Event, r *announce.Reply) {
	u := s.sources[s.at]
	u.started, u.asked = true, false
	if r.TrackerID != "" {
		u.trackerID = r.TrackerID
	}
	s.complete = s.complete || event == announce.Completed
	s.sources = slices.Insert(slices.Delete(s.sources, s.at, s.at+1), 0, u)
	s.at, s.failures, s.retry, s.began = 0, 0, time.Time{}, time.Time{}

	least, interval := intervals(r)
	if s.totals.WantPeers && now.Before(s.regular()) {
		s.hungry++
	}
	s.replyAt, s.interval, s.earliest = now, interval, now.Add(least)
}

// intervals are how long to wait at least and as a rule. Whatever a reply says,
// they stay within the limits of package announce, and neither is shorter than
// its tracker asks: a rule shorter than the usual least is one the tracker made.
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

// failed takes note of a failure of the announce that next gave. r is what the
// tracker had to say, nil if it said nothing. The next URL has its turn at once;
// after the last one the tier rests. Exhausted: none has replied since the last
// reply.
func (s *schedule) failed(now time.Time, r *announce.Reply, rnd *rand.Rand) (exhausted bool) {
	u := s.sources[s.at]
	u.asked = false
	if r != nil && r.RetryIn > 0 {
		u.barred = now.Add(min(r.RetryIn, announce.MostInterval))
	}
	if r != nil && r.RetryNever {
		s.sources = slices.Delete(s.sources, s.at, s.at+1)
	} else {
		s.at++
	}
	for s.at < len(s.sources) && s.sources[s.at].barred.After(now) {
		s.at++
	}
	s.retry = time.Time{}
	if s.at == len(s.sources) {
		s.failures++
		s.rest(now, rnd)
	}
	return s.failures > 0
}

// rest puts the next pass off, until the first source that may be asked then.
func (s *schedule) rest(now time.Time, rnd *rand.Rand) {
	pause := min(firstRetry<<min(s.failures-1, 10), lastRetry)
	pause -= time.Duration(jitter * rnd.Float64() * float64(pause))
	s.retry = later(s.began.Add(pause), now.Add(leastRest))
	s.at, s.began = 0, time.Time{}
	for i, u := range s.sources {
		if later(u.barred, s.retry).Before(s.nextTry()) {
			s.at = i
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
