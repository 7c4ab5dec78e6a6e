package supervise

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/actors/runtime/work"
	"kouzui/actors/world"
)

// hand is a clock that is moved by hand.
type hand struct{ now time.Time }

func (h *hand) Now() time.Time                              { return h.now }
func (h *hand) AfterFunc(time.Duration, func()) world.Timer { panic("nothing waits") }

// A message that is measured has its own stamp. While somebody looks, and few
// messages wait when a round begins, those that are measured stand for all, but
// for the last few.
func TestTheSampleStandsForAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, clock := &Tree{}, &hand{}
		m := &timing{all: rapid.Bool().Draw(t, "all"), tree: tree}
		leaves := rapid.Bool().Draw(t, "whoever looks leaves now and then")
		tree.looked.Store(work.NewMeter(1))
		var sent []time.Duration // when messages that wait were sent
		var handled, stood int64
		handle := func() {
			one := m.next()
			handled++
			if one != nil {
				if got := time.Duration(one.time.Load()); got != sent[0] {
					t.Fatalf("message %d has the stamp of one sent at %v, not %v", handled, got, sent[0])
				}
				stood += int64(m.stands())
			}
			sent = sent[1:]
		}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			for range rapid.IntRange(0, 300).Draw(t, "sent") {
				clock.now = clock.now.Add(time.Second)
				sent = append(sent, clock.now.Sub(tree.begun))
				m.post(clock)
				if m.all && len(sent) == timesKept {
					handle()
				}
			}
			for range rapid.IntRange(0, len(sent)).Draw(t, "handled") {
				handle()
			}
			if rapid.Bool().Draw(t, "a round ends") {
				for !leaves && len(sent) > 0 {
					handle()
				}
				tree.rounds.Add(1)
			}
			if leaves && rapid.Bool().Draw(t, "nobody looks") {
				tree.looked.Store(nil)
			} else {
				tree.looked.Store(work.NewMeter(1))
			}
		}
		if waited := int64(len(sent)); stood > handled || !leaves && waited < 900 && handled-stood >= timedEvery || !leaves && m.all && stood != handled {
			t.Fatalf("of %d messages those that are measured stand for %d", handled, stood)
		}
	})
}

// Of each round the first messages are measured, however many came before.
func TestWhoGetsFewMessagesIsSeen(t *testing.T) {
	tree, clock := &Tree{}, &hand{}
	m := &timing{tree: tree}
	tree.looked.Store(work.NewMeter(1))
	for round := range 5 {
		seen := 0
		for range 3 {
			m.post(clock)
			if m.next() != nil {
				seen++
			}
		}
		if seen != 3 {
			t.Errorf("round %d: %d of 3 are measured", round, seen)
		}
		for range 50 * round {
			m.post(clock)
			m.next()
		}
		tree.rounds.Add(1)
	}
}
