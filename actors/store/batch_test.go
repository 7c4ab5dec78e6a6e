package store

import (
	"testing"
	"time"

	"kouzui/actors/store/hasher"
	"kouzui/actors/store/storetest"
	"kouzui/messages"
	"kouzui/wire/digest"
)

func TestCrowded(t *testing.T) {
	const length, memory = 1 << 20, 16 << 20
	for _, tc := range []struct {
		whole, lacking int
		held           int64
		want           bool
	}{
		{2, 100, 0, false},
		{2, 3, 0, false},
		{3, 3, 0, true}, // the last
		{2, 100, memory*3/4 - 2*length - 1, false},
		{2, 100, memory*3/4 - 2*length, true},
	} {
		if got := crowded(tc.whole, tc.lacking, length, tc.held, memory); got != tc.want {
			t.Errorf("%d of %d pieces, and %d bytes held: %t", tc.whole, tc.lacking, tc.held, got)
		}
	}
}

// Pieces that come in quick succession wait for each other, but no longer than
// hasher.MaxWait, and not if no more are to come.
func TestPiecesGather(t *testing.T) {
	if digest.Least() > digest.Lanes {
		t.Skip("nothing is hashed side by side on this processor")
	}
	const count = 3 * digest.Lanes
	w := newWorld()
	r := begun(t, w.World(), storetest.New(t, 32<<10, count*32<<10))
	send := func(from, to int) {
		for piece := from; piece < to; piece++ {
			r.send(1, nil, r.Blocks(piece)...)
		}
	}
	verified := func(n int, at time.Time) {
		t.Helper()
		for range n {
			if m := await[*messages.PieceVerified](r); !m.At.Equal(at) {
				t.Errorf("piece %d was verified at %v, want %v", m.Piece, m.At, at)
			}
		}
	}
	start := w.Clock.Now()
	send(0, digest.Lanes)
	verified(digest.Lanes, start) // none waited: nothing said yet that they come quickly

	send(digest.Lanes, digest.Lanes+2)
	w.Clock.AwaitTimer(hasher.MaxWait)
	w.Clock.Advance(hasher.MaxWait)
	verified(2, start.Add(hasher.MaxWait))

	send(digest.Lanes+2, count)
	verified(count-digest.Lanes-2, start.Add(hasher.MaxWait)) // the last pieces do not wait for more
	await[*messages.StoreFinished](r)
	r.wantNoBlocks()
}
