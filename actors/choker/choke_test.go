package choker

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/messages"
)

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// swarm is a table whose peers report what a test says.
type swarm struct {
	table
	now  time.Time
	rand *rand.Rand
}

func newSwarm(t interface{ Fatal(...any) }, algorithm string, slots int) *swarm {
	a, err := Algorithms.Make(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return &swarm{newTable(a, slots), begin, rand.New(rand.NewPCG(1, 2))}
}

// set reports a peer that is interested, after change has changed the report.
func (s *swarm) set(key int, change func(*messages.PeerRates)) {
	k := messages.PeerKey(key)
	m := &messages.PeerRates{Key: k, At: s.now}
	m.Flags.PeerInterested = true
	m.Flags.AmChoking = s.table.choked(k)
	if change != nil {
		change(m)
	}
	m.Taking = m.Up > 0
	s.observe(m)
}

func down(rate float64) func(*messages.PeerRates) {
	return func(m *messages.PeerRates) { m.Down = rate }
}

// round decides anew after a roundPeriod.
func (s *swarm) round() {
	s.now = s.now.Add(roundPeriod)
	s.decide(s.now, true, s.rand)
}

func (s *swarm) fill() { s.decide(s.now, false, s.rand) }

func (s *swarm) open() (keys []int) {
	for _, p := range s.peers {
		if p.Unchoked {
			keys = append(keys, int(p.Key))
		}
	}
	return keys
}

// served are the peers that are interested and unchoked.
func (s *swarm) served() (keys []messages.PeerKey) {
	for _, p := range s.peers {
		if p.Interested && p.Unchoked {
			keys = append(keys, p.Key)
		}
	}
	return keys
}

func (s *swarm) optimistic() int { return int(s.algorithm.(*byRate).optimistic) }

func TestFreeSlotsAreFilledAtOnce(t *testing.T) {
	for _, name := range []string{"rate", "roundrobin"} {
		for _, seeding := range []bool{false, true} {
			s := newSwarm(t, name, 2)
			s.seeding = seeding
			for key := 1; key <= 3; key++ {
				s.set(key, nil)
				s.fill()
			}
			if got := s.open(); !slices.Equal(got, []int{1, 2, 3}) {
				t.Errorf("%s, seeding %v: open are %v", name, seeding, got)
			}
			s.set(4, nil)
			s.fill()
			if got := s.open(); !slices.Equal(got, []int{1, 2, 3}) {
				t.Errorf("%s, seeding %v: with a fourth %v", name, seeding, got)
			}
			s.drop(2)
			s.fill()
			if got := s.open(); !slices.Equal(got, []int{1, 3, 4}) {
				t.Errorf("%s, seeding %v: after one has gone %v", name, seeding, got)
			}
		}
	}
}

func TestFastestHaveTheSlots(t *testing.T) {
	s := newSwarm(t, "rate", 2)
	for key := 1; key <= 6; key++ {
		s.set(key, down(float64(key*1000)))
	}
	s.round()
	got := s.open()
	if len(got) != 3 || !slices.Contains(got, 5) || !slices.Contains(got, 6) {
		t.Errorf("open are %v, of which %d by chance", got, s.optimistic())
	}
}

func TestSnubberLosesItsSlot(t *testing.T) {
	s := newSwarm(t, "rate", 1)
	s.set(1, down(9000))
	s.round()
	s.set(2, down(10))
	s.set(3, down(20))
	s.round()
	s.set(1, func(m *messages.PeerRates) { m.Down, m.Flags.Snubbed = 9000, true })
	s.fill()
	got := s.open()
	if slices.Contains(got, 1) || len(got) != 2 {
		t.Errorf("open are %v", got)
	}
}

func TestAlikePeersDoNotFlap(t *testing.T) {
	s := newSwarm(t, "rate", 2)
	for key := 1; key <= 8; key++ {
		s.set(key, down(1000))
	}
	s.round()
	settled := slices.DeleteFunc(s.open(), func(k int) bool { return k == s.optimistic() })
	for i := range 50 {
		for key := 1; key <= 8; key++ {
			s.set(key, down(1000+float64((key*7+i*13)%90)))
		}
		s.round()
		for _, key := range settled {
			if !slices.Contains(s.open(), key) {
				t.Fatalf("round %d: %d lost its slot; open are %v", i, key, s.open())
			}
		}
	}
}

func TestFasterPeerTakesASlot(t *testing.T) {
	s := newSwarm(t, "rate", 1)
	s.set(1, down(1000))
	s.round()
	s.set(2, down(1200))
	s.round()
	if k := s.optimistic(); k != 1 {
		t.Errorf("%d is the optimistic one, open are %v", k, s.open())
	}
}

func TestOptimisticMovesOnAndPrefersNewcomers(t *testing.T) {
	s := newSwarm(t, "rate", 1)
	s.set(1, down(1e6))
	s.round()
	for key := 2; key <= 21; key++ { // old ones
		s.set(key, nil)
	}
	s.now = s.now.Add(2 * usualTurns.NewcomerTime)
	turns := map[int]int{}
	for i := range 4000 {
		key := 1000 + i
		s.set(key, nil) // always one that has just come
		chosen := s.algorithm.(*byRate).chosen
		before := s.optimistic()
		if s.algorithm.(*byRate).is(messages.PeerKey(before)) {
			s.set(before, func(m *messages.PeerRates) { m.Up = 1 }) // it makes use of its turn
		}
		s.round()
		if moved := !s.algorithm.(*byRate).chosen.Equal(chosen); !moved && before != s.optimistic() {
			t.Fatal("the slot moved without a new choice")
		} else if moved && s.now.Sub(chosen) < usualTurns.OptimisticTurn && i > 0 && before != key-1 {
			t.Fatalf("the slot moved after %v", s.now.Sub(chosen))
		} else if moved {
			turns[s.optimistic()/1000]++ // rounds to 0 for the old
		}
		s.drop(messages.PeerKey(key))
		s.fill()
	}
	old, young := turns[0], 0
	for k, n := range turns {
		if k > 0 {
			young += n
		}
	}
	// 3 lots in 23.
	if share := float64(young) / float64(old+young); share < 0.10 || share > 0.17 {
		t.Errorf("newcomers had %d turns of %d", young, old+young)
	}
}

func TestFastUninterestedPeerWaitsUnchoked(t *testing.T) {
	s := newSwarm(t, "rate", 1)
	aloof := func(m *messages.PeerRates) { m.Down, m.Flags.PeerInterested = 5000, false }
	s.set(1, down(1000))
	s.set(2, aloof)
	s.set(3, func(m *messages.PeerRates) { aloof(m); m.Down = 10 })
	s.set(4, func(m *messages.PeerRates) { aloof(m); m.Flags.Seed = true })
	s.round()
	if got := s.open(); !slices.Equal(got, []int{1, 2}) {
		t.Fatalf("open are %v", got)
	}
	s.set(5, nil)
	s.fill() // the optimistic one
	s.set(2, down(5000))
	s.fill()
	if got := s.open(); !slices.Equal(got, []int{1, 2, 5}) {
		t.Errorf("once it is interested, open are %v", got)
	}
	s.round()
	if got := s.open(); !slices.Contains(got, 2) || len(got) != 2 {
		t.Errorf("in the next round open are %v", got)
	}
}

func TestNoneChokesNobody(t *testing.T) {
	s := newSwarm(t, "none", 1)
	for key := range 9 {
		s.set(key, nil)
	}
	s.set(9, func(m *messages.PeerRates) { m.Flags.PeerInterested = false })
	s.fill()
	if got := len(s.open()); got != 10 {
		t.Errorf("%d of 10 are open", got)
	}
}

func TestRegistry(t *testing.T) {
	if _, err := Algorithms.Make("fair"); err == nil {
		t.Error("an unknown name is no error")
	}
	if a, _ := Algorithms.Make(""); a == nil {
		t.Error("there is no default")
	}
}

// Whatever peers do, no more are served than there are slots, and a few beyond
// until the next round; no slot is free while a peer waits; and between rounds
// no peer loses a slot to another, and nothing changes without a reason.
func TestSlotsAreUsedAndKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slots := rapid.IntRange(1, 5).Draw(t, "slots")
		s := newSwarm(t, rapid.SampledFrom([]string{"rate", "roundrobin"}).Draw(t, "algorithm"), slots)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			key := rapid.IntRange(0, 12).Draw(t, "key")
			excess, served := usualTurns.Aside, s.served()
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				s.drop(messages.PeerKey(key))
				s.fill()
			case 1:
				s.seeding, served = !s.seeding, nil
			case 2:
				s.round()
				excess, served = 0, nil
			default:
				s.set(key, func(m *messages.PeerRates) {
					m.Down = rapid.Float64Range(0, 1e6).Draw(t, "down")
					m.Up = rapid.Float64Range(0, 1e6).Draw(t, "up")
					m.Flags.PeerInterested = rapid.IntRange(0, 3).Draw(t, "interested") > 0
					m.Flags.Snubbed = rapid.IntRange(0, 5).Draw(t, "snubbed") == 0
				})
				s.fill()
			}
			s.fill() // since seeding may have changed
			if again := s.decide(s.now, false, s.rand); len(again) > 0 {
				t.Fatalf("nothing happened, and %v changed", again)
			}
			for _, k := range served {
				if i, is := s.find(k); is && s.peers[i].Interested && !s.peers[i].Snubbed && !s.peers[i].Unchoked {
					t.Fatalf("%d was interested and lost its slot between rounds", k)
				}
			}
			wanting, serving, snubbed := 0, 0, 0
			for _, p := range s.peers {
				if p.Interested && p.Snubbed {
					snubbed++
				}
				if p.Interested {
					wanting++
					if p.Unchoked {
						serving++
					}
				}
			}
			if serving > slots+1+excess || serving < min(wanting-snubbed, slots) {
				t.Fatalf("%d of %d are served in %d slots and one", serving, wanting, slots)
			}
		}
	})
}
