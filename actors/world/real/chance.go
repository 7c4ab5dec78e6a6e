package real

import (
	crand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"

	"kouzui/actors/world"
)

// Chance seeds every source from the system, whatever its name: no two give the
// same numbers.
type Chance struct{}

var _ world.Chance = Chance{}

// Source implements world.Chance.
func (Chance) Source(string) *rand.Rand {
	var seed [16]byte
	_, _ = crand.Read(seed[:]) // never fails
	return rand.New(rand.NewPCG(binary.NativeEndian.Uint64(seed[:8]), binary.NativeEndian.Uint64(seed[8:])))
}
