package tracker

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/messages"
	"kouzui/wire/announce"
)

// However long all URLs of a tier failed, and in whichever way, one that works
// again is announced to within 90 s. While all fail, none is tried twice within
// 12 s.
func TestATrackerThatComesBackIsUsedWithin90Seconds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var urls []string
		hangs := map[string]bool{} // false: it refuses at once
		for i := range rapid.IntRange(1, 7).Draw(t, "urls") {
			url := fmt.Sprint("u", i)
			urls = append(urls, url)
			hangs[url] = rapid.Bool().Draw(t, "hangs")
		}
		s := started(t, urls...)
		if rapid.Bool().Draw(t, "worked before") {
			s.announce()
			s.reply(announce.Reply{Interval: time.Hour})
		}
		back := rapid.SampledFrom(urls).Draw(t, "back")
		last := map[string]time.Time{}
		// fail moves on to the next announce, and lets it fail.
		fail := func() (url string, asked time.Time) {
			url, _, _ = s.announce()
			asked = s.now
			if before := last[url]; !before.IsZero() && asked.Sub(before) < leastRest {
				t.Fatalf("%s is asked again after %v", url, asked.Sub(before))
			}
			last[url] = asked
			if hangs[url] {
				s.now = s.now.Add(s.timeout())
			}
			s.fail(nil)
			return url, asked
		}
		for range rapid.IntRange(2*len(urls), 60).Draw(t, "failures") {
			fail()
		}
		// The URL works again right after an announce to it has failed.
		var since time.Time
		for url := ""; url != back; {
			url, since = fail()
		}
		for {
			if url, asked := fail(); url == back {
				if asked.Sub(since) > 90*time.Second {
					t.Fatalf("it is announced to after %v", asked.Sub(since))
				}
				return
			}
		}
	})
}

// While no peer is connected it announces every two minutes, unless the tracker
// asks for more: a peer that left may be back.
func TestAloneItAsksEveryTwoMinutes(t *testing.T) {
	s := started(t, "a")
	s.setTotals(&messages.SetTotals{Left: 1, WantPeers: true, Alone: true})
	for i := range 100 {
		if _, _, waited := s.announce(); waited > aloneGap || i > 0 && waited < leastGap {
			t.Fatalf("after %v", waited)
		}
		s.reply(announce.Reply{Interval: time.Hour})
	}
	s.announce()
	s.reply(announce.Reply{Interval: time.Hour, MinInterval: 10 * time.Minute})
	if _, _, waited := s.announce(); waited != 10*time.Minute {
		t.Errorf("after %v, against the tracker's wish", waited)
	}
}
