package real

import (
	crand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"

	"kouzui/actors/world"
)

// Chance seeds every source anew from the system: no two are alike, whatever
// their names.
type Chance struct{}

var _ world.Chance = Chance{}

// Source is world.Chance's.
func (Chance) Source(string) *rand.Rand {
	var seed [16]byte
	_, _ = crand.Read(seed[:]) // never fails
	return rand.New(rand.NewPCG(binary.NativeEndian.Uint64(seed[:8]), binary.NativeEndian.Uint64(seed[8:])))
}
