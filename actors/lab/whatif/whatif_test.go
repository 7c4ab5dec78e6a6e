package whatif

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/event"
)

func scenario(t *testing.T, text string) *lab.Scenario {
	t.Helper()
	s, err := lab.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const hashing = `
	content = "16 MiB"
	piece = "64 KiB"
	cost = [{ kind = "hash", kib = "100us" }, { kind = "choker", time = "1us" }]
	[[class]]
	name = "seed"
	have = 1
	[[class]]
	name = "peer"
	delay = "5ms"
	cores = 1
	`

// Where hashing takes nearly all the time, a run is sooner over by nearly all
// that hashing saves, and what does next to nothing is not tried.
func TestProfile(t *testing.T) {
	var kinds []Kind
	if err := Profile(t.Context(), scenario(t, hashing), Seeds(1, 3), func(k Kind) { kinds = append(kinds, k) }); err != nil {
		t.Fatal(err)
	}
	if len(kinds) != 1 || kinds[0].Name != "hash" || len(kinds[0].Sooner) != len(Faster) {
		t.Fatalf("%+v", kinds)
	}
	const takes = 16 * 1024 * 100e-6 // seconds of hashing
	for i, by := range Faster {
		if p := kinds[0].Sooner[i]; math.Abs(p.Difference-by*takes) > 0.05*takes || !p.Interval.Excludes(0) {
			t.Errorf("%v faster: %v s sooner, %v; hashing takes %v s", by, p.Difference, p.Interval, takes)
		}
	}
	for name, tc := range map[string]struct {
		spoil func(*lab.Scenario)
		want  error
	}{
		"no cores":      {func(s *lab.Scenario) { s.Class[1].Cores = 0 }, ErrNoCores},
		"none complete": {func(s *lab.Scenario) { s.Until = lab.Time(time.Second) }, ErrIncomplete},
	} {
		s := scenario(t, hashing)
		tc.spoil(s)
		if err := Profile(t.Context(), s, Seeds(1, 3), func(Kind) { t.Errorf("%s: there is a profile", name) }); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	if err := Profile(interrupted, scenario(t, hashing), Seeds(1, 3), func(Kind) {}); !errors.Is(err, lab.ErrStopped) {
		t.Errorf("interrupted in its first run: %v", err)
	}
}

// Making a kind faster in the scenario by hand is what a profile does.
func TestFasterByHand(t *testing.T) {
	fast := scenario(t, hashing)
	fast.Cost[0].KiB /= 2
	byHand, err := lab.Run(fast, lab.Options{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	profiled, err := lab.Run(faster(scenario(t, hashing), "hash", 0.5), lab.Options{Seed: 7})
	if err != nil || profiled.End != byHand.End {
		t.Errorf("%v, %v by hand, %v", profiled.End, byHand.End, err)
	}
}

// traced plays a scenario and returns its trace.
func traced(t *testing.T, s *lab.Scenario, seed uint64) []*event.Event {
	t.Helper()
	var all events
	if _, err := lab.Run(s.Clone(), lab.Options{Seed: seed, Quick: true, Trace: []event.Sink{&all}}); err != nil {
		t.Fatal(err)
	}
	return all
}

type events []*event.Event

func (e *events) Record(one *event.Event) { *e = append(*e, one) }

const broken = `
	content = "4 MiB"
	[[class]]
	name = "seed"
	have = 1
	up = "512 KiB"
	[[class]]
	name = "peer"
	count = 3
	up = "512 KiB"
	`

// A failure is found by any event that it has caused, and left out; what it has
// cost is what the run takes less.
func TestWithout(t *testing.T) {
	for name, tc := range map[string]struct {
		more    string
		kind    event.Kind // of the event that is asked about
		nth     int        // of these events, from 0
		atLeast float64    // seconds that it has cost somebody, on average
	}{
		"a hang":                {`faults = ["hang,actor=*/store,at=2s,time=10s"]`, event.Fault, 0, 1},
		"a crash":               {"[[event]]\nat = \"3s\"\nfor = \"20s\"\ndo = \"kill\"\nclass = \"peer\"\ncount = 1", event.Fault, 0, 3},
		"the second of crashes": {"[[event]]\nat = \"3s\"\nfor = \"20s\"\ndo = \"kill\"\nclass = \"peer\"\ncount = 2", event.Fault, 1, 3},
	} {
		s := scenario(t, broken+tc.more)
		trace := traced(t, s, 5)
		of := slices.DeleteFunc(slices.Clone(trace), func(e *event.Event) bool { return e.Kind != tc.kind })
		spared, words, err := Find(trace, of[tc.nth].Seq)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a, err := Without(t.Context(), s, 5, spared, words, 5)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if a.Mean < tc.atLeast || a.Seeds != 6 || a.Met != 6 {
			t.Errorf("%s: %+v", name, a)
		}
		var left events
		if _, err := lab.Run(s.Clone(), lab.Options{Seed: 5, Quick: true, Trace: []event.Sink{&left}, Spared: spared}); err != nil {
			t.Fatal(err)
		}
		faults := func(all []*event.Event) (n int) {
			for _, e := range all {
				if e.Kind == event.Fault {
					n++
				}
			}
			return n
		}
		if before, after := faults(trace), faults(left); after != before-1 {
			t.Errorf("%s: %d faults, and %d without it", name, before, after)
		}
	}
}

// What other nodes do about a crash leads to the crash.
func TestFindOfAnotherNode(t *testing.T) {
	trace := traced(t, scenario(t, broken+"[[event]]\nat = \"3s\"\nfor = \"20s\"\ndo = \"kill\"\nclass = \"peer\"\ncount = 1"), 5)
	crash := trace[slices.IndexFunc(trace, func(e *event.Event) bool { return e.Kind == event.Fault })]
	lost := slices.IndexFunc(trace, func(e *event.Event) bool { return e.Origin == crash.Seq && !strings.HasPrefix(e.Actor, crash.Actor) })
	if lost < 0 {
		t.Fatal("no other node notices the crash")
	}
	want, _, err := Find(trace, crash.Seq)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := Find(trace, trace[lost].Seq); err != nil || *got != *want {
		t.Errorf("%s %s leads to %+v, %v; want %+v", trace[lost].Actor, trace[lost].Kind, got, err, want)
	}
}

func TestFindNothing(t *testing.T) {
	s := scenario(t, broken)
	trace := traced(t, s, 5)
	if _, _, err := Find(trace, 1); !errors.Is(err, ErrNoFailure) {
		t.Errorf("the first event: %v", err)
	}
	if _, _, err := Find(trace, 1<<40); err == nil {
		t.Error("an event is found that there is not")
	}
	if _, err := Without(t.Context(), s, 5, &lab.Spared{Node: "peer-001", Life: 1, Fault: "panic", Number: 1}, "", 1); err == nil {
		t.Error("a failure is left out that never happened")
	}
}

// An answer is clean only if the runs differ by the failure, and by more than
// chance.
func TestUnclean(t *testing.T) {
	clean := Answer{Last: 1, Mean: 1, Met: 5, Seeds: 5}
	clean.OverMean.Correlation, clean.OverMean.Interval.Low, clean.OverMean.Interval.High = 0.9, 1, 2
	if why := clean.Unclean(); why != "" {
		t.Error(why)
	}
	for name, spoil := range map[string]func(*Answer){
		"incomplete":   func(a *Answer) { a.Last = math.NaN() },
		"alone":        func(a *Answer) { a.Met = 1 },
		"uncorrelated": func(a *Answer) { a.OverMean.Correlation = 0.1 },
		"none":         func(a *Answer) { a.OverMean.Interval.Low = -1 },
	} {
		a := clean
		if spoil(&a); a.Unclean() == "" {
			t.Errorf("%s: clean", name)
		}
	}
}
