package choker

import (
	"net/netip"
	"slices"
	"testing"

	"kouzui/messages"
)

func TestSeedingGoesRound(t *testing.T) {
	for _, name := range []string{"rate", "roundrobin"} {
		s := newSwarm(t, name, 2)
		s.seeding = true
		const peers = 12
		rounds := make([]int, peers)
		for range 400 {
			for key := range peers {
				s.set(key, func(m *messages.PeerRates) { m.Up = float64(1000 * (key + 1)) })
			}
			s.round()
			if len(s.open()) != 3 {
				t.Fatalf("%s: open are %v", name, s.open())
			}
			for _, key := range s.open() {
				rounds[key]++
			}
		}
		if least, most := slices.Min(rounds), slices.Max(rounds); least < 60 || most > 2*least {
			t.Errorf("%s: rounds with a slot: %v", name, rounds)
		}
	}
}

func TestRotationKeepsWhoUsesItsTurnAndDropsWhoDoesNot(t *testing.T) {
	s := newSwarm(t, "roundrobin", 1)
	s.set(1, func(m *messages.PeerRates) { m.Up = 1000 })
	s.set(2, nil)
	s.round()
	s.set(3, nil)
	s.round()
	if got := s.open(); !slices.Equal(got, []int{1, 3}) {
		t.Errorf("the idle one keeps its slot: %v", got)
	}
	s.drop(3)
	s.drop(2)
	for range 20 {
		s.round()
	}
	if got := s.open(); !slices.Equal(got, []int{1}) {
		t.Errorf("a slot that nobody else wants is lost: %v", got)
	}
}

// A peer that makes no use of its slots waits behind those that do, and a host
// that has slots behind those that have none.
func TestSlotsAreNotKeptByThoseWhoOnlySitOnThem(t *testing.T) {
	for _, name := range []string{"rate", "roundrobin"} {
		for _, seeding := range []bool{true, false} {
			s := newSwarm(t, name, 4)
			s.seeding = seeding
			for key := range 60 {
				s.set(key, func(m *messages.PeerRates) { m.Host = netip.MustParseAddr("192.0.2.1") })
			}
			for range 5 {
				s.round()
			}
			const good = 1000
			waited, held := 0, 0
			for range 100 {
				open := slices.Contains(s.open(), good)
				s.set(good, func(m *messages.PeerRates) {
					m.Host = netip.MustParseAddr("192.0.2.2")
					if open {
						m.Up = 1000
					}
				})
				if s.round(); open {
					held++
				} else if held == 0 {
					waited++
				}
			}
			if waited > 4 && name != "rate" || waited > 14 || held < 30 {
				t.Errorf("%s, seeding %v: waited %d rounds for a slot, and had it for %d of 100", name, seeding, waited, held)
			}
		}
	}
}
