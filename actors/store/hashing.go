package store

import (
	"fmt"

	"kouzui/actors/runtime/pattern"
	"kouzui/actors/world"
)

// Hashing is a pattern of how the pieces of a torrent are hashed.
type Hashing struct {
	Workers int // as Config.HashWorkers
	Alone   bool
}

// Hashings are those that a user can choose from.
var Hashings = pattern.NewKind[Hashing]("hashing", "how pieces are hashed, and by how many workers", "batched", pattern.Everywhere, pattern.OfTorrent)

// mostWorkers is how many hash workers can be chosen: each is a goroutine, and
// holds up to a MiB of a check.
const mostWorkers = 64

type hashWorkers struct {
	N int `about:"hash workers of a torrent; 0 is one for each processor, four at most"`
}

// Check refuses what no machine has use for.
func (h hashWorkers) Check() error {
	if h.N > mostWorkers {
		return fmt.Errorf("n must be %d or less", mostWorkers)
	}
	return nil
}

var _ = pattern.Keyed(Hashings, "batched", "several pieces side by side, where the processor does that faster", hashWorkers{}, func(h hashWorkers) Hashing {
	return Hashing{Workers: h.N}
})

var _ = pattern.Keyed(Hashings, "unbatched", "one piece after the other", hashWorkers{}, func(h hashWorkers) Hashing {
	return Hashing{Workers: h.N, Alone: true}
}).In(pattern.Real) // no simulated processor hashes side by side: there batched does the same

// World is w as the actors see it that hash, or ask for what is hashed
// together.
func (h Hashing) World(w *world.World) *world.World {
	if !h.Alone {
		return w
	}
	alone := *w
	alone.Machine = w.Machine.OneByOne()
	return &alone
}
