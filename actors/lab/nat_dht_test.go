package lab

import (
	"testing"
	"time"
)

// In a DHT half of whose nodes are behind NAT, nearly all lookups find what
// others announce, whoever of the two is behind a NAT, and of whichever kind. A
// swarm that has no tracker, and whose only seed cannot be dialled, completes.
func TestHalfOfADHTIsBehindNAT(t *testing.T) {
	const settled, percent = 10 * time.Minute, 95
	s := scenarioFile(t, "nat-dht.toml", nil)
	nodes, behind := 0, 0
	for i := range s.Class {
		c := &s.Class[i]
		nodes += c.Count
		if c.NAT != (NAT{}) {
			behind += c.Count
		}
	}
	if 2*behind != nodes {
		t.Errorf("%d of %d nodes are behind NAT", behind, nodes)
	}
	r := played(t, s, Options{Seed: 1})
	if done := len(r.Times()); done != 14 {
		t.Errorf("%d of 14 are complete", done)
	}
	kinds := []string{"open", "home", "shared"}
	for _, by := range kinds {
		for _, of := range kinds {
			sum := r.LookupsWhere(func(l *Lookup) bool { return l.By == by && l.Of == of && l.At >= settled })
			t.Logf("%s looks for %s: %+v", by, of, sum)
			if sum.Lookups < 100 || sum.Found < sum.Lookups*percent/100 || sum.False > 0 {
				t.Errorf("%s looks for %s: %+v", by, of, sum)
			}
		}
	}
}
