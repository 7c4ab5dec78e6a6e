package tracker

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/messages"
	"kouzui/wire/announce"
)

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func rnd() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// clocked is a schedule whose time a test moves from one announce to the next.
type clocked struct {
	*schedule
	t    interface{ Fatalf(string, ...any) }
	now  time.Time
	rand *rand.Rand
}

func started(t interface{ Fatalf(string, ...any) }, urls ...string) *clocked {
	s := &clocked{newSchedule(urls, rnd()), t, begin, rnd()}
	s.start(&messages.StartAnnouncing{})
	s.setTotals(&messages.SetTotals{Left: 100, WantPeers: false})
	return s
}

// announce moves the time on to the next announce, and returns how long that
// took.
func (s *clocked) announce() (url string, r announce.Request, waited time.Duration) {
	at, ok := s.due()
	if !ok {
		s.t.Fatalf("nothing is due")
	}
	if at.After(s.now) {
		waited = at.Sub(s.now)
		s.now = at
	}
	url, r = s.request(s.now)
	return url, r, waited
}

func (s *clocked) reply(r announce.Reply) {
	_, q := s.request(s.now)
	s.replied(s.now, q.Event, &r)
}

func (s *clocked) fail(r *announce.Reply) bool { return s.failed(s.now, r, s.rand) }

func TestEventsComeOnceAndInOrder(t *testing.T) {
	s := started(t, "a")
	_, r, waited := s.announce()
	if r.Event != announce.Started || waited != 0 || r.Left != 100 || r.NumWant != 0 {
		t.Fatalf("first is %+v after %v", r, waited)
	}
	s.reply(announce.Reply{Interval: time.Hour, TrackerID: "id"})
	s.setTotals(&messages.SetTotals{Completed: true, Downloaded: 100})
	_, r, waited = s.announce()
	if r.Event != announce.Completed || waited != 0 || r.TrackerID != "id" || r.Downloaded != 100 {
		t.Fatalf("then %+v after %v", r, waited)
	}
	s.reply(announce.Reply{Interval: time.Hour})
	for range 3 {
		if _, r, waited = s.announce(); r.Event != announce.None || waited != time.Hour || r.TrackerID != "id" {
			t.Fatalf("regular is %+v after %v", r, waited)
		}
		s.reply(announce.Reply{Interval: time.Hour})
	}
	if url, r, ok := s.stopped(); !ok || url != "a" || r.Event != announce.Stopped || r.NumWant != 0 || r.TrackerID != "id" {
		t.Fatalf("last is %v %+v", ok, r)
	}
}

func TestCompletedWaitsForStarted(t *testing.T) {
	s := started(t, "a")
	s.setTotals(&messages.SetTotals{Completed: true})
	for _, want := range []announce.Event{announce.Started, announce.Completed, announce.None} {
		if _, r, _ := s.announce(); r.Event != want {
			t.Fatalf("got %v, want %v", r.Event, want)
		}
		s.reply(announce.Reply{Interval: time.Minute})
	}
}

func TestIntervals(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		interval, least     time.Duration
		wantRegular, wantLe time.Duration
	}{
		{0, 0, 30 * time.Minute, time.Minute},
		{-day, -day, 30 * time.Minute, time.Minute},
		{1, 1, 5 * time.Second, 5 * time.Second},
		{8 * time.Second, 0, 8 * time.Second, 8 * time.Second},
		{1000 * day, 0, day, time.Minute},
		{time.Minute, 1000 * day, day, day},
		{time.Minute, time.Hour, time.Hour, time.Hour},
		{time.Hour, time.Minute, time.Hour, time.Minute},
	} {
		least, regular := intervals(&announce.Reply{Interval: c.interval, MinInterval: c.least})
		if regular != c.wantRegular || least != c.wantLe {
			t.Errorf("%v and %v become %v and %v", c.interval, c.least, regular, least)
		}
	}
}

func TestACompleteTorrentAsksForPeersInNoHurry(t *testing.T) {
	s := started(t, "a")
	s.setTotals(&messages.SetTotals{})
	if _, r, _ := s.announce(); r.NumWant != numWant {
		t.Errorf("it asks for %d peers", r.NumWant)
	}
	s.reply(announce.Reply{Interval: 10 * time.Minute})
	if _, _, waited := s.announce(); waited != 10*time.Minute {
		t.Errorf("then it waits %v", waited)
	}
}

func TestEarlyAnnouncesThinOut(t *testing.T) {
	s := started(t, "a")
	s.setTotals(&messages.SetTotals{WantPeers: true})
	var gaps []time.Duration
	for range 7 {
		_, r, waited := s.announce()
		if r.NumWant != numWant {
			t.Fatalf("wants %d peers", r.NumWant)
		}
		gaps = append(gaps, waited/time.Minute)
		s.reply(announce.Reply{Interval: 10 * time.Minute})
	}
	if want := []time.Duration{0, 1, 2, 4, 8, 10, 10}; !slices.Equal(gaps, want) {
		t.Errorf("gaps are %v minutes, want %v", gaps, want)
	}
	s.setTotals(&messages.SetTotals{})
	s.setTotals(&messages.SetTotals{WantPeers: true})
	if _, _, waited := s.announce(); waited != time.Minute {
		t.Errorf("when peers lack again, it waits %v", waited)
	}
	s.reply(announce.Reply{Interval: 10 * time.Minute, MinInterval: 6 * time.Minute})
	if _, _, waited := s.announce(); waited != 6*time.Minute {
		t.Errorf("it waits %v, against the tracker's least interval", waited)
	}
}

func TestURLsAreTriedInOrderAndTheOneThatRepliesMovesToTheFront(t *testing.T) {
	s := started(t, "a", "b", "c")
	var order []string
	for i := range 3 {
		url, r, waited := s.announce()
		order = append(order, url)
		if waited != 0 || r.Event != announce.Started {
			t.Fatalf("%s: %v after %v", url, r.Event, waited)
		}
		if i < 2 && s.fail(nil) {
			t.Fatal("exhausted before all were tried")
		}
	}
	s.reply(announce.Reply{Interval: time.Hour})
	if url, _, waited := s.announce(); url != order[2] || waited != time.Hour {
		t.Errorf("next is %s after %v", url, waited)
	}
	s.fail(nil)
	url, r, _ := s.announce()
	if url != order[0] || r.Event != announce.Started {
		t.Errorf("after the failure %s with %v", url, r.Event)
	}
	if url, _, ok := s.stopped(); !ok || url != order[2] {
		t.Errorf("`stopped` goes to %s", url)
	}
}

func TestShuffles(t *testing.T) {
	first := map[string]bool{}
	for i := range uint64(50) {
		first[newSchedule([]string{"a", "b", "c"}, rand.New(rand.NewPCG(i, 0))).urls[0].url] = true
	}
	if len(first) != 3 {
		t.Errorf("only %v were ever first", first)
	}
}

func TestFailingTierIsTriedForEverAndSoonEnough(t *testing.T) {
	s := started(t, "a", "b")
	for pass := range 300 {
		_, _, waited := s.announce()
		if pass > 0 && (waited < 11*time.Second || waited > 80*time.Second) || pass > 4 && waited < 60*time.Second {
			t.Fatalf("pass %d began after %v", pass, waited)
		}
		if exhausted := s.fail(nil); exhausted != (pass > 0) {
			t.Fatalf("pass %d: exhausted %v", pass, exhausted)
		}
		if _, _, waited := s.announce(); waited != 0 {
			t.Fatalf("the second URL waited %v", waited)
		}
		if !s.fail(nil) {
			t.Fatal("not exhausted")
		}
	}
	s.announce()
	s.reply(announce.Reply{Interval: time.Hour})
	s.announce()
	if s.fail(nil) {
		t.Error("a reply does not count")
	}
}

func TestRefusalsAreHeeded(t *testing.T) {
	s := started(t, "a", "b")
	first, _, _ := s.announce()
	s.fail(&announce.Reply{Failure: "busy", RetryIn: time.Hour})
	second, _, _ := s.announce()
	s.fail(nil)
	for s.now.Before(begin.Add(50 * time.Minute)) {
		if url, _, _ := s.announce(); url != second {
			t.Fatalf("%s is asked at %v", url, s.now)
		}
		s.fail(nil)
	}
	s.announce()
	s.fail(&announce.Reply{Failure: "unregistered", RetryNever: true})
	if url, _, _ := s.announce(); url != first || s.now.Before(begin.Add(time.Hour)) {
		t.Fatalf("%s is asked at %v", url, s.now)
	}
	if !s.fail(&announce.Reply{Failure: "unregistered", RetryNever: true}) {
		t.Error("not exhausted")
	}
	if at, ok := s.due(); ok || !s.nextTry().IsZero() {
		t.Errorf("due at %v though all said never", at)
	}
	if _, _, ok := s.stopped(); ok {
		t.Error("`stopped` is announced, though no tracker is left")
	}
}

func TestRestartedKeepsToTheLeastInterval(t *testing.T) {
	s := &clocked{newSchedule([]string{"a"}, rnd()), t, begin, rnd()}
	s.start(&messages.StartAnnouncing{NotBefore: begin.Add(time.Minute), Started: true, Completed: true})
	if _, ok := s.due(); ok {
		t.Fatal("due without totals")
	}
	s.setTotals(&messages.SetTotals{WantPeers: true, Completed: true})
	if _, r, waited := s.announce(); r.Event != announce.None || waited != time.Minute {
		t.Errorf("%v after %v", r.Event, waited)
	}
	s.reply(announce.Reply{Interval: time.Hour})
	s.start(&messages.StartAnnouncing{NotBefore: begin.Add(100 * time.Hour)})
	if _, r, waited := s.announce(); r.Event != announce.None || waited != time.Minute {
		t.Errorf("told again: %v after %v", r.Event, waited)
	}
}

func TestPausedItIsSilent(t *testing.T) {
	s := started(t, "a")
	if _, _, ok := s.stopped(); ok {
		t.Error("`stopped` is announced before `started`")
	}
	s.pause()
	if _, ok := s.due(); ok {
		t.Error("due while paused")
	}
}

// Whatever a hostile tracker replies, its URL is not announced to more often
// than its least interval, clamped, allows, but for events, and not less often
// than once a day.
func TestNoReplyBreaksTheSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := started(t, []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "urls")]...)
		span := rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64().Draw(t, "ns") >> rapid.IntRange(0, 40).Draw(t, "shift"))
		})
		allowed := map[string]time.Time{}
		passFailed := time.Time{}
		for range rapid.IntRange(1, 40).Draw(t, "announces") {
			s.setTotals(&messages.SetTotals{WantPeers: rapid.Bool().Draw(t, "want peers")})
			url, r, waited := s.announce()
			if s.now.Before(allowed[url]) {
				t.Fatalf("%s is asked %v too early", url, allowed[url].Sub(s.now))
			}
			if !passFailed.IsZero() && s.now.Sub(passFailed) < 11*time.Second {
				t.Fatalf("a failing tier is asked again after %v", s.now.Sub(passFailed))
			}
			if waited > announce.MostInterval {
				t.Fatalf("nothing for %v", waited)
			}
			passFailed = time.Time{}
			if rapid.IntRange(0, 2).Draw(t, "fails") == 0 {
				refusal := &announce.Reply{Failure: "no", RetryIn: span.Draw(t, "retry in")}
				s.fail(refusal)
				if refusal.RetryIn > 0 {
					allowed[url] = s.now.Add(min(refusal.RetryIn, announce.MostInterval))
				}
				if s.retry.After(s.now) {
					passFailed = s.now
				}
				continue
			}
			reply := announce.Reply{Interval: span.Draw(t, "interval"), MinInterval: span.Draw(t, "least")}
			s.replied(s.now, r.Event, &reply)
			gap := announce.LeastInterval
			if reply.MinInterval > 0 {
				gap = min(max(gap, reply.MinInterval), announce.MostInterval)
			}
			allowed[url] = s.now.Add(gap)
		}
	})
}
