package choker

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kouzui/messages"
)

// Who gives twice as much is served twice as long, and who gives nothing
// hardly ever.
func TestProportionalShares(t *testing.T) {
	s := newSwarm(t, "proportional,floor=1", 1)
	served := map[messages.PeerKey]int{}
	const rounds = 3000
	for range rounds {
		for key, rate := range []float64{0, 10e3, 20e3, 40e3, 80e3} {
			s.set(key, down(rate))
		}
		s.round()
		for _, key := range s.served() {
			served[key]++
		}
	}
	if n := served[0]; n > rounds/100 {
		t.Errorf("who gives nothing was served in %d of %d rounds", n, rounds)
	}
	// Of two slots without replacement the shares are less unequal than the rates.
	for key := messages.PeerKey(1); key < 4; key++ {
		if ratio := float64(served[key+1]) / float64(served[key]); ratio < 1.25 || ratio > 2.2 {
			t.Errorf("peer %d gives twice what %d gives, and is served %.2f times as long", key+1, key, ratio)
		}
	}
}

// A fast peer that owes us too much is choked, and a slow one that owes nothing
// is not, where the rate alone would decide otherwise.
func TestTitForTatCounts(t *testing.T) {
	for algorithm, want := range map[string][]messages.PeerKey{
		"tit-for-tat,blocks=4":   {2, 3},
		"tit-for-tat,blocks=100": {1, 2, 3},
	} {
		s := newSwarm(t, algorithm, 3)
		s.set(1, func(m *messages.PeerRates) { m.Down, m.DownTotal, m.UpTotal = 1e6, 1<<20, 1<<20+5<<14 })
		s.set(2, func(m *messages.PeerRates) { m.Down, m.DownTotal, m.UpTotal = 10, 1<<20, 1<<20 })
		s.set(3, func(m *messages.PeerRates) { m.UpTotal = 4 << 14 })
		s.round()
		if got := s.served(); !slices.Equal(got, want) {
			t.Errorf("%s serves %v, want %v", algorithm, got, want)
		}
	}
}

// A tyrant that is well able to send keeps more peers than the usual slots,
// those first that give much for little; who does not give in return becomes
// too dear.
func TestTyrantBuysCheaply(t *testing.T) {
	s := newSwarm(t, "tyrant,first=10000", 2)
	report := func(most int) {
		for key := range most {
			s.set(key, func(m *messages.PeerRates) {
				m.Down, m.Up = 20e3, 20e3
				if m.Flags.PeerChoking = key%2 == 0; m.Flags.PeerChoking {
					m.Down = 0
				}
			})
		}
	}
	for range 8 {
		report(10)
		s.round()
	}
	served := s.served()
	if len(served) <= 3 {
		t.Errorf("it serves %v, no more than anybody", served)
	}
	for key := messages.PeerKey(1); key < 10; key += 2 {
		if !slices.Contains(served, key) {
			t.Errorf("it does not serve %d, which gives in return: %v", key, served)
		}
	}
	a := s.algorithm.(*tyrant)
	if giver, other := a.deal(1).price, a.deal(0).price; giver >= 10000 || other <= 10000 {
		t.Errorf("the price of who gives is %.0f, of who does not %.0f", giver, other)
	}
	s.drop(3)
	report(2)
	s.round()
	if _, is := a.deals[3]; is {
		t.Error("it remembers who has gone")
	}
}

// Whatever an algorithm thinks of its peers: it decides for those that there
// are, and changes nothing for no reason between two rounds.
func TestAllAlgorithmsAreSteady(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSwarm(t, rapid.SampledFrom(Algorithms.Names()).Draw(t, "algorithm"), rapid.IntRange(1, 5).Draw(t, "slots"))
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			key := rapid.IntRange(0, 12).Draw(t, "key")
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				s.drop(messages.PeerKey(key))
			case 1:
				s.seeding = !s.seeding
			case 2:
				s.round()
			default:
				s.set(key, func(m *messages.PeerRates) {
					m.Down = rapid.Float64Range(0, 1e6).Draw(t, "down")
					m.Up = rapid.Float64Range(0, 1e6).Draw(t, "up")
					m.DownTotal = rapid.Int64Range(0, 1<<22).Draw(t, "given")
					m.UpTotal = rapid.Int64Range(0, 1<<22).Draw(t, "got")
					m.Flags.PeerInterested = rapid.Bool().Draw(t, "interested")
					m.Flags.PeerChoking = rapid.Bool().Draw(t, "choking")
				})
			}
			s.fill()
			if again := s.decide(s.now, false, s.rand); len(again) > 0 {
				t.Fatalf("nothing happened, and %v changed", again)
			}
		}
	})
}

// How long the optimistic slot stays with a peer is a key of the algorithm.
func TestTurnsAreKeys(t *testing.T) {
	for algorithm, most := range map[string]int{"rate,optimistic-turn=10s": 40, "rate,optimistic-turn=5m": 2} {
		s := newSwarm(t, algorithm, 1)
		moves, holder := 0, messages.PeerKey(0)
		for range 40 {
			s.set(1, down(1e6))
			for key := 2; key < 8; key++ {
				s.set(key, func(m *messages.PeerRates) { m.Up = 1 })
			}
			s.round()
			for _, key := range s.served() {
				if key != 1 && key != holder {
					moves, holder = moves+1, key
				}
			}
		}
		if moves > most || moves < most/2 {
			t.Errorf("%s: the slot moved %d times in 40 rounds", algorithm, moves)
		}
	}
}
