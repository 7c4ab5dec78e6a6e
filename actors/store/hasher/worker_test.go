package hasher

import (
	"crypto/sha1"
	"testing"

	"pgregory.net/rapid"

	"kouzui/actors/store/assembly"
	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/wire/buffer"
)

// The beginning of a piece is hashed in any number of parts, whatever other
// blocks are written with them.
func TestExtendHashesInParts(t *testing.T) {
	s := storetest.New(t, 10*buffer.Size, 10*buffer.Size)
	pool := buffer.NewPool(10)
	rapid.Check(t, func(t *rapid.T) {
		w := newWorker(Config{Torrent: s.Torrent, Pool: pool, Digest: world.SHA1{}}, func() {})
		var hashed assembly.Prefix
		left := s.Blocks(0)
		for len(left) > 0 {
			n := rapid.IntRange(1, len(left)).Draw(t, "blocks")
			gap := rapid.IntRange(0, n-1).Draw(t, "gap") // one that does not come, so that those behind do not follow
			j := &Job{Task: Spill}
			j.Hashed.Set(hashed)
			for i, b := range left[:n] {
				if i == gap && gap > 0 {
					continue
				}
				data := pool.Fit(int(b.Length))
				copy(data.Bytes(), s.Bytes(b))
				j.Blocks = append(j.Blocks, assembly.Block{Begin: b.Begin, Length: b.Length, Data: data})
			}
			if gap > 0 {
				n = gap
			}
			w.job = j
			w.extend()
			hashed.Set(j.Hashed)
			left = left[n:]
			w.resume(&hashed)
			want := sha1.Sum(s.Content[:len(s.Content)-len(left)*buffer.Size])
			if int(hashed.Bytes) != len(s.Content)-len(left)*buffer.Size || string(w.one.Sum(nil)) != string(want[:]) {
				t.Fatalf("%d bytes are hashed of %d blocks, or wrong", hashed.Bytes, 10-len(left))
			}
			for _, b := range j.Blocks {
				b.Data.Release()
			}
		}
	})
}
