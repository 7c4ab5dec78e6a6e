package lab

import (
	"testing"

	"kouzui/actors/runtime/pattern"
)

// What is chosen for a run takes the place of what a scenario says of all its
// clients; what the scenario says of one class goes before what it says of all.
func TestChoose(t *testing.T) {
	read := func() *Scenario {
		s, err := Read(`
content = "1 MiB"
[patterns]
choker = "none"
picker = "sequential"
[[class]]
name = "one"
choker = "closed"
[[class]]
name = "two"
[class.patterns]
choker = "roundrobin"
[[class]]
name = "three"
[[class]]
name = "foe"
hostile = ["a liar"]`)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := read()
	for i, want := range []string{"closed", "roundrobin", "none"} {
		if got := s.PatternsOf(&s.Class[i])["choker"]; got != want {
			t.Errorf("the choker of class %d is %s, want %s", i, got, want)
		}
	}
	s.Choose(pattern.Choice{"choker": "rate"})
	for i := range 3 {
		if got := s.PatternsOf(&s.Class[i]); got["choker"] != "rate" || got["picker"] != "sequential" {
			t.Errorf("class %d has %v", i, got)
		}
	}
	again, err := Read(s.TOML())
	if err != nil || again.TOML() != s.TOML() {
		t.Errorf("%v: the scenario is not written as it was read:\n%s", err, s.TOML())
	}
}

// Whichever mailbox gets the next turn, a swarm in which a process is killed is
// complete and breaks no rule, and its run is the same each time and another
// than with other schedules.
func TestSchedulesDecideRuns(t *testing.T) {
	runs := map[uint64]string{}
	for _, spec := range pattern.Names("schedule") {
		play := func() *Result {
			s, err := Read(`
content = "1 MiB"
piece = "64 KiB"
[[class]]
name = "seed"
have = 1.0
[[class]]
name = "peer"
count = 4
up = "1 MiB"
[[event]]
at = "2s"
do = "kill"
class = "peer"
for = "1s"`)
			if err != nil {
				t.Fatal(err)
			}
			s.Choose(pattern.Choice{"schedule": spec})
			r, err := Run(s, Options{Seed: 1, Hash: true})
			if err != nil || len(r.Wrong) > 0 {
				t.Fatal(spec, err, r.Wrong)
			}
			return r
		}
		r := play()
		for _, n := range r.Nodes {
			if n.Class == "peer" && n.Took == 0 {
				t.Errorf("%s: %s is not complete", spec, n.Name)
			}
		}
		if again := play(); again.Sum != r.Sum {
			t.Errorf("%s: two runs with one seed differ", spec)
		}
		if other, is := runs[r.Sum]; is {
			t.Errorf("the runs of %s and %s are the same", spec, other)
		}
		runs[r.Sum] = spec
	}
}

func TestKeysOfSchedules(t *testing.T) {
	for spec, want := range map[string]string{
		"pct,depth=0":        `"pct,depth=0" is wrong: depth must be 1 or more, and steps as many at least`,
		"pct,steps=2":        `"pct,steps=2" is wrong: depth must be 1 or more, and steps as many at least`,
		"priorities,skew=1":  `"priorities,skew=1" is wrong: skew must be more than 1`,
		"priorities,skew=in": `"priorities,skew=in" is wrong: skew "in" must be a number from 0 on`,
	} {
		if err := Schedules.Check(spec); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", spec, err, want)
		}
	}
}
