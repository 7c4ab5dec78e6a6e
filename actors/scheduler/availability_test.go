package scheduler

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/bits-and-blooms/bitset"
	"pgregory.net/rapid"
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// bitsOf returns a set of length n that contains members.
func bitsOf(n int, members ...uint) *bitset.BitSet {
	b := bitset.New(uint(n))
	for _, m := range members {
		b.Set(m)
	}
	return b
}

func full(n int) *bitset.BitSet { return bitset.New(uint(n)).Complement() }

// check compares a with a model of counts and open pieces.
func (a *Availability) check(t interface{ Fatalf(string, ...any) }, count []int, open []bool) {
	opened := 0
	for p := range count {
		if a.Count(uint32(p)) != count[p] {
			t.Fatalf("piece %d has count %d, want %d", p, a.Count(uint32(p)), count[p])
		}
		if (a.place[p] != closed) != open[p] || a.open.Test(uint(p)) != open[p] {
			t.Fatalf("piece %d is open: %v, want %v", p, a.place[p] != closed, open[p])
		}
		if open[p] {
			opened++
			if a.order[a.place[p]] != uint32(p) {
				t.Fatalf("piece %d is not in its place", p)
			}
		}
	}
	if a.Open() != opened || int(a.start[len(a.start)-1]) != opened || a.start[0] != 0 {
		t.Fatalf("%d open, want %d; buckets %v", a.Open(), opened, a.start)
	}
	for c := range a.start[:len(a.start)-1] {
		for _, p := range a.order[a.start[c]:a.start[c+1]] {
			if int(a.count[p]) != c {
				t.Fatalf("piece %d of count %d is in bucket %d", p, a.count[p], c)
			}
		}
	}
}

func TestAvailabilityKeepsItsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 70).Draw(t, "pieces")
		a := NewAvailability(n, seeded(rapid.Uint64().Draw(t, "seed")))
		count, open := make([]int, n), slices.Repeat([]bool{true}, n)
		seeds := 0
		piece := rapid.IntRange(0, n-1)
		t.Repeat(map[string]func(*rapid.T){
			"rise": func(t *rapid.T) {
				p := piece.Draw(t, "piece")
				a.Rise(uint32(p))
				count[p]++
			},
			"fall": func(t *rapid.T) {
				p := piece.Draw(t, "piece")
				if count[p] == seeds {
					t.Skip("nobody has it")
				}
				a.Fall(uint32(p))
				count[p]--
			},
			"close": func(t *rapid.T) {
				p := piece.Draw(t, "piece")
				a.Close(uint32(p))
				open[p] = false
			},
			"reopen": func(t *rapid.T) {
				p := piece.Draw(t, "piece")
				a.Reopen(uint32(p))
				open[p] = true
			},
			"seed": func(t *rapid.T) {
				a.JoinSeed()
				seeds++
				for p := range count {
					count[p]++
				}
			},
			"": func(t *rapid.T) { a.check(t, count, open) },
		})
	})
}

func TestAvailabilityJoinAndLeave(t *testing.T) {
	const n = 100
	a := NewAvailability(n, seeded(1))
	some := bitsOf(n, 3, 64, 99)
	a.Join(some)
	if a.Count(64) != 1 || a.Count(65) != 0 {
		t.Errorf("counts %d and %d after Join", a.Count(64), a.Count(65))
	}
	a.Leave(some)
	a.check(t, make([]int, n), slices.Repeat([]bool{true}, n))
}

// Pieces of equal count must not come in the order of their indices: then all
// newcomers would want the same piece.
func TestAvailabilityIsRandomAmongEquals(t *testing.T) {
	const n, runs = 8, 4000
	first := make([]int, n)
	for seed := range runs {
		a := NewAvailability(n, seeded(uint64(seed)))
		for p := range n { // all rise, in order
			a.Rise(uint32(p))
		}
		first[a.order[0]]++
	}
	for p, times := range first {
		if times < runs/n/2 || times > runs/n*2 {
			t.Errorf("piece %d is first %d times of %d", p, times, runs)
		}
	}
}
