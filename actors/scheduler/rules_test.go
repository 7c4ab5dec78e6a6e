package scheduler

import (
	"strings"
	"testing"
)

// A block that is with a slow peer is requested from a second one only where
// the rules allow it: at the end, which comes earlier with more end blocks.
func TestRulesSayWhenTheEndIs(t *testing.T) {
	for spec, want := range map[string]bool{"": false, "usual,end-blocks=40": true, "eager": true, "usual,end-blocks=39": false} {
		rules, err := Requests.Make(spec)
		if err != nil {
			t.Fatal(err)
		}
		s := openSwarm(geometryOf(40, BlockSize, BlockSize), "rarest", 1)
		s.planner.rules = rules
		x := newSim(t, s)
		x.add(1, full(40), 1<<20, 40)
		if n := s.planner.ledger.requested; n != 40 {
			t.Fatalf("%d blocks are requested", n)
		}
		if got := s.planner.nearEnd(); got != want {
			t.Errorf("%q: with 40 blocks under way the end is near: %v", spec, got)
		}
	}
	for spec, want := range map[string]string{
		"usual,askers=1":      "askers 2 or more",
		"usual,end-blocks=0":  "end-blocks must be 1 or more",
		"usual,long=x":        "must be a number",
		"eager,end-blocks=64": "nor any other",
	} {
		if err := Requests.Check(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", spec, err)
		}
	}
}
