package lab

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kouzui/actors/world/sim"
)

// Runs with described payload are the same, step by step, as runs with real
// bytes.
func TestDescribedPayloadIsLikeReal(t *testing.T) {
	play := func(t *testing.T, s *Scenario, payload string, seed uint64, j *sim.Journal) *Result {
		s.Payload = payload
		r, err := Run(s, Options{Seed: seed, Journal: j, Notes: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range r.Wrong {
			t.Error(payload, err)
		}
		return r
	}
	both := func(t *testing.T, s *Scenario, seed uint64) {
		first := sim.NewJournal(true)
		real := play(t, s, PayloadReal, seed, first)
		second := first.Against()
		outlined := play(t, s, PayloadDescribed, seed, second)
		if real.Sum != outlined.Sum {
			t.Errorf("with described payload %s", second.Parted())
		}
	}
	read := func(t *testing.T, text string) *Scenario {
		s, err := Read(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	t.Run("crowd", func(t *testing.T) { both(t, read(t, crowd), 1) })
	for seed := range uint64(10) {
		s := Random(seed)
		if len(s.Class[0].Hostile) > 0 {
			s.Class[0] = Class{Name: "seed", Have: 1}
		}
		s.Class = slices.DeleteFunc(s.Class, func(c Class) bool { return len(c.Hostile) > 0 }) // foes need real payload
		t.Run("random", func(t *testing.T) { both(t, s, seed) })
	}
	files, err := filepath.Glob("../../testdata/lab/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := read(t, string(text))
			s.Content /= 8
			both(t, s, 1)
		})
	}
}
