package lab

import (
	"testing"
)

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
