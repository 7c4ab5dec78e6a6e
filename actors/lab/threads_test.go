package lab

import (
	"testing"
	"time"

	"kouzui/actors/runtime/pattern"
	"kouzui/actors/runtime/work"
)

// busy is a swarm in which one downloader is kept busy by what twelve seeds
// send: its actors have 0.75 s of work, more than half of it of its peers.
func busy(t *testing.T, cores int, chosen pattern.Choice) time.Duration {
	t.Helper()
	ms := work.Time(time.Millisecond)
	return busyWith(t, cores, chosen, work.Cost{Kind: "peer", Time: ms}, work.Cost{Kind: "scheduler", Time: ms / 4}, work.Cost{Kind: "store", Time: ms / 4}, work.Cost{Kind: "hash", Time: ms})
}

// busyWith is how long the downloader takes if handling messages costs so much.
func busyWith(t *testing.T, cores int, chosen pattern.Choice, costs ...work.Cost) time.Duration {
	t.Helper()
	s, err := Read(`
content = "8 MiB"
piece = "64 KiB"
[[class]]
name = "seed"
count = 12
have = 1.0
delay = "1ms"
[[class]]
name = "leech"
delay = "1ms"
`)
	if err != nil {
		t.Fatal(err)
	}
	s.Class[1].Cores, s.Class[1].Patterns = cores, chosen
	s.Cost = costs
	r, err := Run(s, Options{Seed: 1, Quick: true})
	if err != nil || len(r.Wrong) > 0 {
		t.Fatal(err, r.Wrong)
	}
	for _, n := range r.Nodes {
		if n.Class == "leech" {
			return n.Took
		}
	}
	t.Fatal("there is no downloader")
	return 0
}

// What actors give on several cores, and what a thread for all of them, one
// worker, or goroutines that start again and again take away.
func TestThreadsMatterOnCores(t *testing.T) {
	split := map[int]time.Duration{1: busy(t, 1, nil), 4: busy(t, 4, nil)}
	for name, tc := range map[string]struct {
		chosen      pattern.Choice
		cores       int
		least, most float64 // times of split on as many cores
	}{
		"one thread, of four cores":    {pattern.Choice{"granularity": "monolith"}, 4, 1.5, 4},
		"one thread, of one core":      {pattern.Choice{"granularity": "monolith"}, 1, 0.9, 1.1},
		"one worker, of four cores":    {pattern.Choice{"dispatcher": "single"}, 4, 1.5, 4},
		"two workers, of four cores":   {pattern.Choice{"dispatcher": "workers,n=2"}, 4, 1.05, 2},
		"four workers, which are many": {pattern.Choice{"dispatcher": "workers,n=4"}, 4, 0.95, 1.05},
	} {
		took := busy(t, tc.cores, tc.chosen)
		if times := float64(took) / float64(split[tc.cores]); times < tc.least || times > tc.most {
			t.Errorf("%s: %v, %.4f times of %v; it should be %g to %g", name, took, times, split[tc.cores], tc.least, tc.most)
		}
	}
}

// Where hashing takes most of the time, several hash workers use several cores.
func TestHashWorkersMatterOnCores(t *testing.T) {
	hashing := func(cores int, spec string) time.Duration {
		return busyWith(t, cores, pattern.Choice{"hashing": spec}, work.Cost{Kind: "hash", Time: work.Time(20 * time.Millisecond)})
	}
	one := hashing(4, "batched,n=1")
	for spec, most := range map[string]float64{"batched": 0.35, "batched,n=2": 0.6, "batched,n=4": 0.35} {
		if took := hashing(4, spec); float64(took) > most*float64(one) {
			t.Errorf("%s: %v, and %v with one worker", spec, took, one)
		}
	}
	if took := hashing(1, "batched,n=4"); float64(took) < 0.9*float64(one) {
		t.Errorf("four workers take %v on one core, and one worker %v", took, one)
	}
}
