package sim

import (
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/work"
)

// A host can let some messages overtake others, and lose some where too many
// wait; actors that share a thread of control are served in the order of all
// their messages.
func TestHowMessagesWait(t *testing.T) {
	odd := func(message any) int { return message.(int) % 2 }
	for name, tc := range map[string]struct {
		run      Running
		together bool
		want     []string
	}{
		"odd ones later": {Running{Lane: odd}, false, []string{"a2", "a4", "a1", "a3", "b6", "b5"}},
		"two may wait": {Running{KeepsOut: func(_ any, waiting int) bool { return waiting >= 2 }}, false,
			[]string{"a1", "a2", "b5", "b6"}},
		"together": {Running{}, true, []string{"a1", "b5", "a2", "b6", "a3", "a4"}},
	} {
		s := New(1, nil)
		cores := s.NewCores(1)
		h := s.NewHost("h", Class{Cores: cores, Costs: work.NewCosts(nil), Run: tc.run})
		boxes := h.Mailbox
		if tc.together {
			boxes = h.Together()
		}
		var got []string
		box := func(name string) actor.Mailbox {
			m := boxes()
			m.RegisterHandlers(invoker(func(message any) { got = append(got, name+string(rune('0'+message.(int)))) }), h.Dispatcher())
			return m
		}
		a, b := box("a"), box("b")
		cores.free = 0 // until all has been sent
		for _, to := range []struct {
			m       actor.Mailbox
			message int
		}{{a, 1}, {b, 5}, {a, 2}, {b, 6}, {a, 3}, {a, 4}} {
			to.m.PostUserMessage(to.message)
		}
		cores.free = 1
		cores.fill()
		for s.Step() {
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// What runs a mailbox takes its time to wake up, once for all messages that
// wait, and of a mailbox that may block it is not counted.
func TestWakingUpTakesTime(t *testing.T) {
	const ms = time.Millisecond
	costs := work.NewCosts([]work.Cost{{Kind: "", Time: work.Time(ms)}})
	for _, tc := range []struct {
		blocking bool
		want     time.Duration
	}{{false, 6 * ms}, {true, 4 * ms}} {
		s := New(1, nil)
		h := s.NewHost("h", Class{Cores: s.NewCores(1), Costs: costs, Run: Running{Wake: ms}})
		m, d := h.Mailbox(), h.Dispatcher()
		if tc.blocking {
			d = h.Blocking()
		}
		m.RegisterHandlers(invoker(func(any) {}), d)
		for _, message := range []int{1, 2, 3} {
			m.PostUserMessage(message)
		}
		for s.Step() {
		}
		m.PostUserMessage(4)
		for s.Step() {
		}
		if got := s.Elapsed(); got != tc.want {
			t.Errorf("blocking %v: four messages took %v, want %v", tc.blocking, got, tc.want)
		}
	}
}
