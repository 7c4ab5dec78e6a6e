package scheduler

import (
	"testing"

	"github.com/bits-and-blooms/bitset"
)

func TestPickersAreKnownByName(t *testing.T) {
	if _, ok := pickerOf("").(rarest); !ok {
		t.Error("no name is not rarest first")
	}
	if _, ok := pickerOf("random").(random); !ok {
		t.Error("random is another picker")
	}
}

// pickerOf is the picker of that name.
func pickerOf(name string) Picker {
	p, err := Pickers.Make(name)
	if err != nil {
		panic(err)
	}
	return p
}

// drawn is how often each piece is picked, over many random orders.
func drawn(t *testing.T, p Picker, n int, prepare func(*Availability), of Offer) []int {
	t.Helper()
	const runs = 2000
	times := make([]int, n)
	for seed := range runs {
		a := NewAvailability(n, seeded(uint64(seed)))
		prepare(a)
		piece, ok := p.Pick(a, of)
		if !ok {
			t.Fatal("nothing is picked")
		}
		if !of.Have.Test(uint(piece)) || !a.open.Test(uint(piece)) {
			t.Fatalf("piece %d is picked, which the peer lacks or which is not open", piece)
		}
		times[piece]++
	}
	return times
}

func even(t *testing.T, times []int, among ...int) {
	t.Helper()
	total := 0
	for _, piece := range among {
		total += times[piece]
	}
	if total != 2000 {
		t.Errorf("picked %v, others than %v too", times, among)
	}
	for _, piece := range among {
		if share := total / len(among); times[piece] < share/2 || times[piece] > 2*share {
			t.Errorf("picked %v, piece %d not evenly among %v", times, piece, among)
		}
	}
}

func TestRarest(t *testing.T) {
	const n = 6
	// Of piece i there are i copies or, of piece 5, one; piece 1 is begun.
	prepare := func(a *Availability) {
		for piece := range uint32(n) {
			for range piece {
				a.Rise(piece)
			}
		}
		for range 4 {
			a.Fall(5)
		}
		a.Rise(2)
		a.Close(1)
		a.JoinSeed()
	}
	leech := bitsOf(n, 1, 2, 3, 4)
	for name, tc := range map[string]struct {
		of    Offer
		among []int
	}{
		"a seed has what no other has": {Offer{Have: full(n), Came: true, Wanted: n, Owned: firstRandom}, []int{0}},
		"a leech":                      {Offer{Have: leech, Wanted: 4, Owned: firstRandom}, []int{2, 3}},
		"the only copy":                {Offer{Have: bitsOf(n, 4, 5), Wanted: 2, Owned: firstRandom}, []int{5}},
		"a newcomer takes any":         {Offer{Have: full(n), Came: true, Wanted: n, Owned: firstRandom - 1}, []int{0, 2, 3, 4, 5}},
	} {
		t.Run(name, func(t *testing.T) { even(t, drawn(t, rarest{}, n, prepare, tc.of), tc.among...) })
	}
}

// Both ways of the picker to look for pieces must find the same ones.
func TestRarestOfFew(t *testing.T) {
	const n = 1000
	prepare := func(a *Availability) {
		for piece := range uint32(n) {
			a.Rise(piece)
		}
		a.Rise(7)
		a.Rise(500)
		a.Rise(500)
	}
	of := Offer{Have: bitsOf(n, 7, 500, 900, 901), Wanted: 4, Owned: firstRandom}
	even(t, drawn(t, rarest{}, n, prepare, of), 900, 901)
	of.Wanted = n
	even(t, drawn(t, rarest{}, n, prepare, of), 900, 901)
}

func TestRandomAndSequential(t *testing.T) {
	const n = 200
	have := bitsOf(n, 3, 70, 130, 199)
	prepare := func(a *Availability) { a.Close(3) }
	even(t, drawn(t, random{}, n, prepare, Offer{Have: have, Wanted: 4}), 70, 130, 199)
	even(t, drawn(t, sequential{}, n, prepare, Offer{Have: have, Wanted: 4}), 70)
}

func TestPickersFindNothingWhereNothingIs(t *testing.T) {
	a := NewAvailability(100, seeded(1))
	a.Close(5)
	empty := NewAvailability(0, seeded(1))
	for _, name := range Pickers.Names() {
		for _, owned := range []int{0, firstRandom} {
			of := Offer{Have: bitsOf(100, 5), Wanted: 1, Owned: owned}
			if piece, ok := pickerOf(name).Pick(a, of); ok {
				t.Errorf("%s picks %d, which is not open", name, piece)
			}
			if _, ok := pickerOf(name).Pick(empty, Offer{Have: &bitset.BitSet{}, Owned: owned}); ok {
				t.Errorf("%s picks from nothing", name)
			}
		}
	}
}
