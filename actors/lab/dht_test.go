package lab

import (
	"os"
	"slices"
	"testing"
	"time"

	"kouzui/messages"
)

// scenarioFile reads a scenario of testdata, with settings.
func scenarioFile(t *testing.T, name string, set Settings) *Scenario {
	t.Helper()
	raw, err := os.ReadFile("../../testdata/lab/" + name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ReadWith(string(raw), set)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func played(t *testing.T, s *Scenario, o Options) *Result {
	t.Helper()
	o.Quick, o.Hash = true, true
	r, err := Run(s, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range r.Wrong {
		t.Error(err)
	}
	return r
}

// In a DHT of a thousand nodes, of which 30 % leave and come back in an hour,
// nearly all lookups find the one peer that there is, and soon; nobody is told
// of another. The same seed is the same run.
func TestLookupsInADHTThatChanges(t *testing.T) {
	play := func() *Result { return played(t, scenarioFile(t, "dht.toml", nil), Options{Seed: 1}) }
	r := play()
	sum := r.LookupsFrom(15 * time.Minute)
	t.Logf("%+v, %v real", sum, r.Real)
	if sum.Lookups < 1000 || sum.Found < sum.Lookups*95/100 || sum.False > 0 {
		t.Errorf("%+v", sum)
	}
	if again := play(); again.Sum != r.Sum {
		t.Error("two runs of one seed differ")
	}
}

// Between nodes that are as far from each other as hosts of the internet, and
// of which some come and go, half of the lookups find their peer within 200 ms.
// Nearly all find what was announced while the first nodes came, too.
func TestLookupsOverTheInternet(t *testing.T) {
	r := played(t, scenarioFile(t, "dht-internet.toml", Settings{"until": "35m"}), Options{Seed: 1})
	early := r.LookupsBetween(5*time.Minute, 20*time.Minute)
	t.Logf("%+v", early)
	if early.Lookups < 1000 || early.Found < early.Lookups*90/100 {
		t.Errorf("%+v", early)
	}
	sum := r.LookupsFrom(25 * time.Minute)
	t.Logf("%+v, %v real", sum, r.Real)
	if sum.Lookups < 500 || sum.Found < sum.Lookups*99/100 || sum.False > 0 || sum.Median >= 200*time.Millisecond {
		t.Errorf("%+v", sum)
	}
}

// Whoever comes after the tracker has died for good finds the swarm in the DHT,
// if there is one for them. Whoever has been told of one peer finds others by
// peer exchange or in the DHT, and without either has that one peer alone.
func TestTheTrackerDiesForGood(t *testing.T) {
	slowest := func(noPEX bool, dht messages.DHTMode) time.Duration {
		r := played(t, scenarioFile(t, "tracker-gone.toml", Settings{"class.nopex": noPEX, "class.dht": string(dht)}), Options{Seed: 1})
		late := 5
		if dht == messages.DHTOff {
			late = 0
		}
		for class, want := range map[string]int{"early": 3, "late": late, "told": 5} {
			if done := len(r.OfClass(class).Times()); done != want {
				t.Errorf("nopex %v, dht %v: %d of class %s are complete, not %d", noPEX, dht, done, class, want)
			}
		}
		return slices.Max(append(r.OfClass("told").Times(), 0))
	}
	alone := slowest(true, messages.DHTOff)
	for _, tc := range []struct {
		noPEX bool
		dht   messages.DHTMode
	}{{false, messages.DHTAuto}, {true, messages.DHTAuto}, {false, messages.DHTOff}} {
		if took := slowest(tc.noPEX, tc.dht); took > alone/2 {
			t.Errorf("nopex %v, dht %v: %v, and %v with one peer alone", tc.noPEX, tc.dht, took, alone)
		}
	}
}

// Attacks on what one node announces: nearly all lookups find it all the same.
func TestAttacksOnTheDHT(t *testing.T) {
	for name, tc := range map[string]struct {
		attack string // a script; empty: none
		foes   int
		nodes  int // beside 3 routers
	}{
		"none": {"", 0, 227}, "eclipse": {"dht eclipse", 20, 227}, "many ids": {"dht many ids", 1, 227},
		"liar": {"dht liar", 20, 227}, "near liar": {"dht near liar", 20, 227}, "flood": {"dht flood", 5, 227}, "forger": {"dht forger", 5, 227},
		"thief": {"dht thief", 5, 227}, "eclipse of many": {"dht eclipse", 20, 997},
	} {
		t.Run(name, func(t *testing.T) {
			const seekers, percent = 30, 95
			until := "25m"
			if tc.nodes > 500 {
				until = "20m" // it takes long enough
			}
			s := scenarioFile(t, "dht.toml", Settings{"until": until})
			s.Class[1].Count, s.Class[2].Count, s.Class[2].Hashes, s.Event = tc.nodes-seekers, seekers, 1, nil
			if tc.foes > 0 {
				s.Class = append(s.Class, Class{Name: "foe", Count: tc.foes, Arrive: Time(8 * time.Minute), Delay: Time(15 * time.Millisecond), Hostile: []string{tc.attack}})
			}
			r := played(t, s, Options{Seed: 1})
			sum := r.LookupsFrom(12 * time.Minute)
			t.Logf("%d foes: %d of %d found, median %v, p95 %v, %d false peers, %.1f queries; %v real", tc.foes, sum.Found, sum.Lookups, sum.Median, sum.P95, sum.False, sum.Queries, r.Real)
			if tc.attack == "dht thief" && sum.False > 0 {
				t.Error("an announce was taken with a token of another, or an old one")
			}
			if sum.Lookups < 100 || sum.Found < sum.Lookups*percent/100 {
				t.Errorf("%d of %d lookups find the peer", sum.Found, sum.Lookups)
			}
		})
	}
}
