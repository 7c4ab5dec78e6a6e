package lab

import (
	"strings"
	"testing"
	"time"

	"kouzui/actors/world/sim"
)

// two is a seed and a downloader, with keys of either class.
func two(t *testing.T, seed, peer string) *Scenario {
	t.Helper()
	s, err := Read(`name = "two"
content = "1MiB"
piece = "64KiB"
limit = "10m"
[[class]]
name = "seed"
have = 1
` + seed + `
[[class]]
name = "peer"
` + peer)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// spent is how long a path waited for what.
func spent(path []Leg) map[sim.Sort]time.Duration {
	sum := map[sim.Sort]time.Duration{}
	for _, l := range path {
		sum[l.What] += l.Until - l.From
	}
	return sum
}

func followed(t *testing.T, s *Scenario) *Result {
	t.Helper()
	r, err := Run(s, Options{Seed: 1, Path: true, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Path) == 0 {
		t.Fatal("no path")
	}
	return r
}

// The critical path goes from the arrival of a node to the last completion
// without a gap, from node to node, and is what holds the scenario up.
func TestTheCriticalPath(t *testing.T) {
	for name, tc := range map[string]struct {
		seed, peer string
		what       []sim.Sort
		least      float64 // part of the path
	}{
		"a slow uplink":       {`up = "64KiB"`, "", []sim.Sort{sim.Queue, sim.Uplink}, 0.9},
		"a slow downlink":     {"", `down = "64KiB"`, []sim.Sort{sim.Downlink}, 0.8},
		"a slow disk":         {`disk = { rate = "64KiB" }`, "", []sim.Sort{sim.Disk}, 0.8},
		"a long way":          {"delay = \"2s\"", "", []sim.Sort{sim.Way}, 0.5},
		"one core":            {"", "cores = 1", []sim.Sort{sim.Work}, 0},
		"one slot for two":    {"up = \"64KiB\"\nslots = 1\nsuperseed = \"never\"", "count = 4\nchoker = \"closed\"", []sim.Sort{sim.Slot}, 0.2},
		"a rate that is kept": {"up = \"64KiB\"\nlimits = true", "", []sim.Sort{sim.Timer}, 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			r := followed(t, two(t, tc.seed, tc.peer))
			first, last := r.Path[0], r.Path[len(r.Path)-1]
			if last.Until != r.End {
				t.Errorf("it ends with %+v, and the download at %v", last, r.End)
			}
			for i, l := range r.Path[1:] {
				if l.From != r.Path[i].Until || l.Until <= l.From {
					t.Fatalf("%+v comes after %+v", l, r.Path[i])
				}
			}
			all := last.Until - first.From
			got := time.Duration(0)
			for _, what := range tc.what {
				got += spent(r.Path)[what]
			}
			if got == 0 || got.Seconds() < tc.least*all.Seconds() {
				t.Errorf("of %v %v go by in %q: %v", all, got, tc.what, spent(r.Path))
			}
		})
	}
}

// Of a node whose process was killed the path says how long the process was
// not there.
func TestTheCriticalPathOfAKill(t *testing.T) {
	s := two(t, `up = "64KiB"`, "")
	text := strings.Replace(s.TOML(), "[[class]]", "[[event]]\nat = \"5s\"\ndo = \"kill\"\nclass = \"peer\"\nfor = \"7s\"\n\n[[class]]", 1)
	s, err := Read(text)
	if err != nil {
		t.Fatal(err)
	}
	r := followed(t, s)
	if got := spent(r.Path)[sim.Down]; got != 7*time.Second {
		t.Errorf("down for %v: %v", got, spent(r.Path))
	}
}

// To follow legs changes nothing else in a run.
func TestFollowingLegsChangesNothing(t *testing.T) {
	for name, more := range map[string]string{"simulated mailboxes": "", "processors": "cores = 2\n"} {
		t.Run(name, func(t *testing.T) {
			s, err := Read(strings.Replace(crowd, "count = 5\n", "count = 5\n"+more, 1))
			if err != nil {
				t.Fatal(err)
			}
			plain := sim.NewJournal(true)
			again := plain.Against()
			for _, o := range []Options{{Seed: 1, Journal: plain}, {Seed: 1, Journal: again, Path: true}} {
				if _, err := Run(s.Clone(), o); err != nil {
					t.Fatal(err)
				}
			}
			if plain.Sum() != again.Sum() {
				t.Fatal(again.Parted())
			}
		})
	}
}
