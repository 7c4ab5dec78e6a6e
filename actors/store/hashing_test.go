package store

import (
	"testing"

	"kouzui/actors/store/storetest"
	"kouzui/messages"
	"kouzui/wire/digest"
)

// On a machine that hashes three pieces side by side faster than one after the
// other, pieces that come at once are hashed together, unless another pattern
// was chosen.
func TestHashingsBatch(t *testing.T) {
	const count = 3 * digest.Lanes
	for spec, batched := range map[string]bool{"": true, "batched,n=1": true, "unbatched": false, "unbatched,n=1": false} {
		t.Run(spec, func(t *testing.T) {
			hashing, err := Hashings.Make(spec)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld().World()
			w.Machine.Together = 3
			hashes := &counted{together: map[int]int{}}
			w.Digest = hashes
			w = hashing.World(w)
			if plan := w.Machine.PlanHashing(32<<20, 32<<10); (plan.Together > 1) != batched {
				t.Errorf("the scheduler plans with %+v", plan)
			}
			if plan := w.Machine.PlanHashing(8<<20, 3<<20); (plan.Together > 1) != batched {
				t.Errorf("the scheduler plans large pieces with %+v", plan)
			}
			r := begun(t, w, storetest.New(t, 32<<10, count*32<<10), func(c *Config) { c.HashWorkers = 1 })
			for piece := range count {
				r.send(1, nil, r.Blocks(piece)...)
			}
			await[*messages.StoreFinished](r)
			r.wantNoBlocks()
			hashes.mu.Lock()
			defer hashes.mu.Unlock()
			if together := len(hashes.together) > 0; together != batched {
				t.Errorf("blocks hashed by how many beside each other: %v", hashes.together)
			}
		})
	}
}

func TestHashingsRefuseCrowds(t *testing.T) {
	for spec, want := range map[string]string{
		"batched,n=65":   `"batched,n=65" is wrong: n must be 64 or less`,
		"unbatched,n=-1": `"unbatched,n=-1" is wrong: n "-1" must be a whole number from 0 on`,
	} {
		if err := Hashings.Check(spec); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", spec, err, want)
		}
	}
}
