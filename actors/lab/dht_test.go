package lab

import (
	"os"
	"strings"
	"testing"
	"time"
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
// Those that announced while the first nodes came have done so again by then.
func TestLookupsOverTheInternet(t *testing.T) {
	r := played(t, scenarioFile(t, "dht-internet.toml", Settings{"until": "35m"}), Options{Seed: 1})
	sum := r.LookupsFrom(25 * time.Minute)
	t.Logf("%+v, %v real", sum, r.Real)
	if sum.Lookups < 500 || sum.Found < sum.Lookups*99/100 || sum.False > 0 || sum.Median >= 200*time.Millisecond {
		t.Errorf("%+v", sum)
	}
}

// Whoever comes after the tracker has died for good finds the swarm in the DHT;
// without one, nobody does.
func TestTheTrackerDiesForGood(t *testing.T) {
	with := scenarioFile(t, "tracker-gone.toml", nil)
	if r := played(t, with, Options{Seed: 1}); len(r.Times()) != 8 {
		t.Errorf("%d of 8 are complete", len(r.Times()))
	}
	without := scenarioFile(t, "tracker-gone.toml", nil)
	without.Class = without.Class[2:] // without routers and nodes
	if r := played(t, without, Options{Seed: 1}); len(r.Times()) != 3 {
		t.Errorf("%d complete without a DHT, not only the 3 that came early", len(r.Times()))
	}
}

// Attacks on what one node announces: nearly all lookups find it all the same.
func TestAttacksOnTheDHT(t *testing.T) {
	for name, tc := range map[string]struct {
		foes  int
		found int // percent of lookups at least
	}{
		"": {0, 95}, "dht eclipse": {20, 95}, "dht many ids": {1, 95}, "dht liar": {20, 95}, "dht near liar": {20, 95}, "dht flood": {5, 95}, "dht forger": {5, 95},
	} {
		t.Run(strings.TrimPrefix(name, "dht "), func(t *testing.T) {
			s := scenarioFile(t, "dht.toml", Settings{"until": "25m"})
			s.Class[1].Count, s.Class[2].Count, s.Class[2].Hashes, s.Event = 197, 30, 1, nil
			if tc.foes > 0 {
				s.Class = append(s.Class, Class{Name: "foe", Count: tc.foes, Arrive: Time(8 * time.Minute), Delay: Time(15 * time.Millisecond), Hostile: []string{name}})
			}
			r := played(t, s, Options{Seed: 1})
			sum := r.LookupsFrom(12 * time.Minute)
			t.Logf("%d foes: %d of %d found, median %v, p95 %v, %d false peers; %v real", tc.foes, sum.Found, sum.Lookups, sum.Median, sum.P95, sum.False, r.Real)
			if sum.Lookups < 100 || sum.Found < sum.Lookups*tc.found/100 {
				t.Errorf("%d of %d lookups find the peer", sum.Found, sum.Lookups)
			}
		})
	}
}
