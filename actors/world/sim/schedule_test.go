package sim

import (
	"slices"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

var schedules = map[string]Schedule{
	"random": Random(), "fifo": FIFO(), "lifo": LIFO(), "pct 1": PCT(1, 1), "pct 2": PCT(2, 6),
	"priorities 2": Priorities(2), "priorities 64": Priorities(64),
}

// turns are the names of mailboxes a, b, and so on with n messages each, in the
// order of their turns.
func turns(t *testing.T, spec string, seed uint64, mailboxes, n int) string {
	t.Helper()
	s := New(seed, nil)
	s.Order(schedules[spec])
	h := s.NewHost("h", Class{})
	var got strings.Builder
	boxes := make([]actor.Mailbox, mailboxes)
	for i := range boxes {
		boxes[i] = h.Mailbox()
		next := 0
		boxes[i].RegisterHandlers(invoker(func(message any) {
			if message != next {
				t.Fatalf("%s: message %v in the place of %d", spec, message, next)
			}
			next++
			got.WriteByte('a' + byte(i))
		}), h.Dispatcher())
	}
	for k := range n {
		for _, box := range boxes {
			box.PostUserMessage(k)
		}
	}
	for s.Step() {
	}
	if got.Len() != mailboxes*n {
		t.Fatalf("%s: %d of %d messages were handled", spec, got.Len(), mailboxes*n)
	}
	return got.String()
}

// blocks tells whether each mailbox has all its turns one after the other.
func blocks(turns string) bool {
	return len(slices.Compact([]byte(turns))) == 3
}

func TestSchedules(t *testing.T) {
	seen := map[string]map[string]bool{}
	for spec := range schedules {
		seen[spec] = map[string]bool{}
		for seed := range uint64(200) {
			got := turns(t, spec, seed, 3, 2)
			if again := turns(t, spec, seed, 3, 2); again != got {
				t.Fatalf("%s: the seed %d gives %s and %s", spec, seed, got, again)
			}
			seen[spec][got] = true
		}
	}
	if len(seen["fifo"]) != 1 || !seen["fifo"]["abcabc"] {
		t.Errorf("fifo: %v", seen["fifo"])
	}
	if len(seen["lifo"]) != 1 || !seen["lifo"]["ccbbaa"] {
		t.Errorf("lifo: %v", seen["lifo"])
	}
	for spec, orders := range map[string]int{"pct 1": 6, "random": 90} {
		if got := len(seen[spec]); got > orders || got < orders*2/3 {
			t.Errorf("%s: %d orders, of %d", spec, got, orders)
		}
	}
	for got := range seen["pct 1"] {
		if !blocks(got) {
			t.Errorf("pct without changes: %s", got)
		}
	}
	torn := 0
	for got := range seen["pct 2"] {
		if len(slices.Compact([]byte(got))) > 4 {
			t.Errorf("pct with one change tears two apart: %s", got)
		}
		if !blocks(got) {
			torn++
		}
	}
	if torn == 0 {
		t.Error("pct with one change tears none apart")
	}
}

// How unlike the chances of two mailboxes are, at the worst of some seeds.
func TestPrioritiesByChance(t *testing.T) {
	least := func(spec string) int {
		least := 500
		for seed := range uint64(40) {
			a := strings.Count(turns(t, spec, seed, 2, 500)[:500], "a")
			least = min(least, a, 500-a)
		}
		return least
	}
	for spec, of := range map[string]struct{ from, to int }{
		"random":        {200, 250},
		"priorities 2":  {140, 200},
		"priorities 64": {6, 60},
	} {
		if got := least(spec); got < of.from || got > of.to {
			t.Errorf("%s: the other mailbox has %d of 500 turns, want %d to %d", spec, got, of.from, of.to)
		}
	}
}
