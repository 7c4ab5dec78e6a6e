package store

import (
	"sync"
	"testing"
	"time"

	"kouzui/actors/store/assembly"
	"kouzui/actors/store/hasher"
	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/digest"
)

func TestCrowded(t *testing.T) {
	const length, memory = 1 << 20, 16 << 20
	for name, tc := range map[string]struct {
		whole, lacking int
		bytes, held    int64
		runs           bool
		want           bool
	}{
		"room":                     {2, 100, 2 * length, 0, false, false},
		"one is yet to come":       {2, 3, 2 * length, 0, false, false},
		"the last":                 {3, 3, 3 * length, 0, false, true},
		"nearly full":              {2, 100, 2 * length, memory*3/4 - 2*length - 1, false, false},
		"full":                     {2, 100, 2 * length, memory*3/4 - 2*length, false, true},
		"other pieces grow":        {0, 100, length, memory/8 + 1, false, false},
		"runs, others about to be": {0, 100, length, memory / 8, true, false},
		"runs, others do not join": {0, 100, length, memory/8 + 1, true, true},
	} {
		q := &hasher.Queue{Whole: tc.whole, Bytes: tc.bytes}
		s := &core{queue: q, lacking: tc.lacking, memory: memory, assembly: &assembly.Assembly{Memory: tc.held}}
		if tc.runs {
			s.plan.Run = length
		}
		if got := s.crowded(); got != tc.want {
			t.Errorf("%s: %t", name, got)
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

// counted counts the blocks that are hashed, by how many side by side.
type counted struct {
	world.SHA1
	mu       sync.Mutex
	together map[int]int
}

type countedHashes struct {
	world.Hashes
	*counted
}

func (c *counted) Many() world.Hashes { return countedHashes{c.SHA1.Many(), c} }

func (c countedHashes) Write(blocks ...[]byte) {
	c.mu.Lock()
	n := 0
	for _, b := range blocks {
		if b != nil {
			n++
		}
	}
	c.together[n] += n
	c.mu.Unlock()
	c.Hashes.Write(blocks...)
}

// Runs of large pieces that are brought abreast are hashed side by side, from
// the beginning of the pieces to their end; and a wrong one is found.
func TestRunsAreHashedSideBySide(t *testing.T) {
	const length, memory, count, wrong = 3 << 20, 8 << 20, digest.Lanes, 5
	plan := world.Machine{Together: 3}.PlanHashing(memory, length)
	run := int(plan.Run / buffer.Size)
	if run == 0 || plan.Together != count {
		t.Fatalf("%+v", plan)
	}
	w := newWorld().World()
	w.Machine.Together = 3
	hashes := &counted{together: map[int]int{}}
	w.Digest = hashes
	s := storetest.New(t, length, count*length)
	r := begun(t, w, s, func(c *Config) { c.Memory = memory })
	blocks := length / buffer.Size
	spilled := 0
	for at := 0; at < blocks; at += run {
		end := min(at+run, blocks)
		for piece := range count {
			var spoil func([]byte)
			if piece == wrong && at == 0 {
				spoil = func(data []byte) { data[0] ^= 1 }
			}
			r.send(1, spoil, r.Blocks(piece)[at:end]...)
		}
		for n := 0; end < blocks && n < count; n++ { // the last ones become whole, and are not spilled
			spilled += await[*messages.BlocksSpilled](r).Blocks
		}
	}
	if want := count * (blocks - (blocks-1)%run - 1); spilled != want {
		t.Errorf("%d blocks were written before their piece was whole, want %d", spilled, want)
	}
	for judged := 0; judged < count; {
		switch m := (<-r.heard).(type) {
		case *messages.PieceVerified:
			if judged++; m.Piece == wrong {
				t.Error("the wrong piece is right")
			}
		case *messages.PieceCorrupt:
			if judged++; m.Piece != wrong {
				t.Errorf("piece %d is corrupt", m.Piece)
			}
		}
	}
	hashes.mu.Lock()
	if all := count * blocks; hashes.together[count] < all*3/4 {
		t.Errorf("of %d blocks so many were hashed side by side: %v", all, hashes.together)
	}
	hashes.mu.Unlock()
	r.send(1, nil, r.Blocks(wrong)...)
	await[*messages.StoreFinished](r)
	r.wantNoBlocks()
}
