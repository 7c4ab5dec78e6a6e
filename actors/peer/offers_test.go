package peer

import (
	"testing"

	"github.com/bits-and-blooms/bitset"

	"kouzui/wire/frame"
)

// A super-seed hears when the other side has asked for half of the pieces that
// it was told of, and for the last, and of how many it has asked for.
func TestOffersThatAreAskedForAreReported(t *testing.T) {
	s := newTestSession(t)
	s.offers.open = bitset.New(10)
	s.setChoked(false)
	for i, c := range []struct {
		told  []uint32
		asks  uint32
		news  bool
		count int
	}{
		{[]uint32{3, 4}, 3, true, 1},
		{nil, 3, false, 1}, // another block of it
		{nil, 7, false, 1}, // it was not told of 7
		{nil, 4, true, 2},
		{nil, 4, false, 2},
		{[]uint32{5, 5}, 5, true, 3},
		{[]uint32{0, 1, 2, 6, 8, 9}, 0, false, 4},
		{nil, 1, true, 5}, // four are left
		{nil, 2, false, 6},
		{nil, 6, false, 7},
		{nil, 8, false, 8},
		{nil, 9, true, 9},
	} {
		s.announce(c.told)
		s.out = effects{}
		s.take(t, frame.Frame{Kind: frame.Request, Index: c.asks, Length: blockSize}, start)
		if s.out.asked != c.news || s.offers.asked != c.count {
			t.Errorf("step %d: news %v, asked for %d, want %v and %d", i, s.out.asked, s.offers.asked, c.news, c.count)
		}
	}
}

// A request that is not served is no answer to an offer, and who does not
// super-seed counts nothing.
func TestOffersThatAreNotCounted(t *testing.T) {
	request := frame.Frame{Kind: frame.Request, Length: blockSize}
	choked, plain := newTestSession(t), newTestSession(t)
	choked.offers.open = bitset.New(10)
	plain.setChoked(false)
	for name, s := range map[string]*session{"choked": choked, "no super-seed": plain} {
		s.announce([]uint32{0})
		s.take(t, request, start)
		if s.out.asked || s.offers.asked != 0 {
			t.Errorf("%s: it is reported to have asked for %d", name, s.offers.asked)
		}
	}
}
