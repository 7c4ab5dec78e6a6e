package lab

import (
	"testing"
	"time"
)

// A download ends though the only seed is sloppy, and within a time that leaves
// no room for connections that are cut off and made again.
func TestSloppySeeds(t *testing.T) {
	for name := range sloppy {
		t.Run(name, func(t *testing.T) {
			s := &Scenario{
				Content: 8 << 20, Piece: 64 << 10, Limit: Time(2 * time.Minute),
				Class: []Class{{Name: "seed", Up: 1 << 20, Hostile: []string{name}}, {Name: "leech"}},
			}
			r, err := Run(s, Options{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range r.Wrong {
				t.Error(err)
			}
			t.Log(r.Times())
		})
	}
}

// Whatever hostile nodes do, every client gets the right data, and the run can
// be repeated.
func TestHostileNodes(t *testing.T) {
	for _, name := range hostileNames() {
		t.Run(name, func(t *testing.T) {
			s := &Scenario{
				Content: 512 << 10, Piece: 32 << 10, Announce: Time(30e9),
				Class: []Class{
					{Name: "seed", Have: 1, Up: 64 << 10},
					{Name: "leech", Count: 2, Up: 64 << 10},
					{Name: "foe", Count: 2, Up: 64 << 10, Hostile: []string{name}},
				},
			}
			r, err := Run(s, Options{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range r.Wrong {
				t.Error(err)
			}
			t.Logf("%v, %v virtual, %d messages, %v real", r.Times(), r.Virtual, r.Messages, r.Real)
		})
	}
}
