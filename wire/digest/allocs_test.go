//go:build !race

package digest

import "testing"

// Not with the race detector, under which crypto/sha1 allocates when it encodes
// its state.
func TestNothingIsAllocated(t *testing.T) {
	data := pieces(Lanes, step+chunk+1)
	each(t, func(t *testing.T, k kernel) {
		h := newHasher(k)
		if n := testing.AllocsPerRun(100, func() {
			h.Reset()
			h.Write(data...)
			h.Sum(0)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
