package lab

import (
	"slices"
	"testing"
	"time"
)

// Downloaders that know nothing but an info hash find each other in a DHT of a
// thousand nodes that changes, learn from peers what they are to download, and
// are all complete, those too whose process is ended on the way. The same seed
// is the same run.
func TestMagnetLinksInADHTThatChanges(t *testing.T) {
	play := func() *Result { return played(t, scenarioFile(t, "magnet.toml", nil), Options{Seed: 1}) }
	r := play()
	if done := len(r.Times()); done != 40 {
		t.Errorf("%d of 40 are complete", done)
	}
	var learned []time.Duration
	for _, n := range r.OfClass("peer") {
		if n.Learned >= 0 {
			learned = append(learned, n.Learned)
		}
	}
	slices.Sort(learned)
	if len(learned) != 40 {
		t.Fatalf("%d of 40 have learned what they are to download", len(learned))
	}
	t.Logf("metadata: median %v, last %v; content: median %v, last %v; %v real",
		learned[20], learned[39], r.Times()[20], r.Times()[39], r.Real)
	if again := play(); again.Sum != r.Sum {
		t.Error("two runs of one seed differ")
	}
}

// Nobody in the DHT hears of a private torrent, whatever its clients are told:
// those that know nobody stay alone.
func TestAPrivateTorrentStaysOutOfTheDHT(t *testing.T) {
	s := scenarioFile(t, "tracker-gone.toml", Settings{"private": true, "class.dht": "on"})
	r := played(t, s, Options{Seed: 1})
	for class, want := range map[string]int{"early": 3, "late": 0, "told": 5} {
		if done := len(r.OfClass(class).Times()); done != want {
			t.Errorf("%d of class %s are complete, not %d", done, class, want)
		}
	}
}
