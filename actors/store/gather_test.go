package store

import (
	"testing"
	"time"

	"kouzui/messages"
	"kouzui/wire/digest"
)

func TestTogether(t *testing.T) {
	if digest.Least() > digest.Lanes {
		t.Skip("nothing is hashed side by side on this processor")
	}
	for _, tc := range []struct {
		memory, pieceLength int64
		want                int
	}{
		{14 << 20, 1 << 20, digest.Lanes},
		{16 << 20, 16 << 10, digest.Lanes},
		{16 << 20, 16 << 20, 1},
		{1, 1 << 20, 1},
	} {
		if got := together(tc.memory, tc.pieceLength, digest.Least()); got != tc.want {
			t.Errorf("%d bytes of memory, pieces of %d: %d, want %d", tc.memory, tc.pieceLength, got, tc.want)
		}
	}
}

// Pieces that come in quick succession wait for each other, but neither for
// longer than gatherWait nor when no more are to come.
func TestPiecesGather(t *testing.T) {
	if digest.Least() > digest.Lanes {
		t.Skip("nothing is hashed side by side on this processor")
	}
	const count = 3 * digest.Lanes
	w := newWorld()
	r := begun(t, w.World(), newSample(t, 32<<10, count*32<<10))
	send := func(from, to int) {
		for piece := from; piece < to; piece++ {
			r.send(1, nil, r.blocks(piece)...)
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
	w.Clock.AwaitTimer(gatherWait)
	w.Clock.Advance(gatherWait)
	verified(2, start.Add(gatherWait))

	send(digest.Lanes+2, count)
	verified(count-digest.Lanes-2, start.Add(gatherWait)) // the last wait for nobody
	await[*messages.StoreFinished](r)
	r.wantNoBlocks()
}
