package lab

import (
	"errors"
	"flag"
	"testing"
)

var (
	from  = flag.Uint64("from", 1, "the first seed")
	seeds = flag.Int("seeds", 15, "how many random scenarios are played")
)

// Whatever goes wrong, in the end every node that can is complete, and no
// buffer, request or credit is left over. The checks are in run.go and
// judge.go.
func TestRandomScenarios(t *testing.T) {
	messages, restarts := uint64(0), 0
	for seed := *from; seed < *from+uint64(*seeds); seed++ {
		r, err := Run(Random(seed), Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Wrong) > 0 {
			t.Errorf("seed %d: %v\nreplay: kouzui lab simulate --random --seed %d\nreduce: kouzui lab shrink --random --seed %d", seed, errors.Join(r.Wrong...), seed, seed)
		}
		messages += r.Messages
		restarts += r.Total().Restarts
	}
	t.Logf("%d scenarios, %d messages, %d restarts", *seeds, messages, restarts)
}
