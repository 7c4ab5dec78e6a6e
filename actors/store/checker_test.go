package store

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"kouzui/actors/store/storetest"
	"kouzui/messages"
)

// Pieces that are checked side by side do not influence each other: right ones,
// spoilt ones, and those with holes, which read as zeros. Zeros that are in the
// torrent too are right.
func TestCheckOfManyPieces(t *testing.T) {
	noLeaks(t)
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		hollow := func(content []byte) {
			for range random.IntN(4) {
				from := random.IntN(len(content))
				clear(content[from:min(from+random.IntN(300_000), len(content))])
			}
		}
		content := bytes.Repeat([]byte("content"), 200_000)
		hollow(content)
		s := storetest.Of(t, int64(1+random.IntN(20))*20_000, content)
		w := newWorld()
		found := bytes.Clone(content)
		place(t, s, w.Disk, "/d", "data.part", func(content []byte) {
			hollow(content)
			content[random.IntN(len(content))]++
			copy(found, content)
		})
		r := newRig(t, w.World(), s, "/d", func(c *Config) { c.HashWorkers = 1 + random.IntN(2) })
		if seed == 0 {
			r.tell(&messages.SetMemory{}) // a block of each at a time
		}
		ready := await[*messages.StoreReady](r)
		for i := range s.PieceCount() {
			from := int64(i) * s.PieceLength
			to := from + s.PieceSize(i)
			if right := bytes.Equal(found[from:to], content[from:to]); ready.Have.Test(uint(i)) != right {
				t.Errorf("seed %d: piece %d of %d: %t", seed, i, s.PieceCount(), !right)
			}
		}
		r.stop()
		r.wantNoBlocks()
	}
}
