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
