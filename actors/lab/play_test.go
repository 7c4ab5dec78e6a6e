package lab

import (
	"testing"
	"time"
)

// A viewer sees the first picture within two seconds, and again when it has
// jumped; while the swarm sends 1.2 times of what the film needs, it never
// stands still.
func TestAFilmIsWatched(t *testing.T) {
	r := played(t, scenarioFile(t, "watching.toml", nil), Options{Seed: 1})
	for _, n := range r.Nodes {
		if n.Play == nil {
			continue
		}
		t.Logf("%+v", *n.Play)
		if n.Play.First < 0 || n.Play.First > 2*time.Second || n.Play.Jump < 0 || n.Play.Jump > 2*time.Second || n.Play.Stalls > 0 {
			t.Errorf("%s: %+v", n.Name, *n.Play)
		}
	}
}
