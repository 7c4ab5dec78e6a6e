package assembly

import (
	"testing"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/storetest"
	"kouzui/messages"
	"kouzui/wire/buffer"
)

// BenchmarkAssembly puts pieces of 1 MiB together whose blocks come from two
// peers, in turns from both ends. An operation is a block.
func BenchmarkAssembly(b *testing.B) {
	const length = 1 << 20
	s := storetest.New(b, length, length)
	blocks := s.Blocks(0)
	pool := buffer.NewPool(len(blocks))
	a := New(s.Torrent, pool, bitset.New(1))
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		i := n % len(blocks)
		if n++; i%2 == 1 {
			i = len(blocks) - i
		}
		data := pool.Fit(int(blocks[i].Length))
		if whole := a.Add(messages.PeerKey(n%2), messages.StoredBlock{Block: blocks[i], Data: data}); whole != nil {
			a.Restart(whole)
		}
	}
	a.Close()
}
