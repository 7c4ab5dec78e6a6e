package resume

import (
	"testing"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/storetest"
)

func TestRoomNeeded(t *testing.T) {
	s := storetest.New(t, 1000, 1500, 0, 2500)
	have, last := bitset.New(4), bitset.New(4).Set(3)
	f := &Found{torrent: s.Torrent, blocks: make([]int64, 3)}
	for _, step := range []struct {
		have   int
		blocks []int64
		want   int64
	}{
		{-1, []int64{0, 0, 0}, 4000},
		{0, []int64{0, 0, 0}, 3000},        // verified, on a file system that compresses
		{-1, []int64{4096, 0, 1000}, 1500}, // occupied more than it needs, and in part
		{1, []int64{4096, 0, 1000}, 1500},
		{2, []int64{0, 0, 0}, 1000},
		{3, []int64{0, 0, 0}, 0},
	} {
		if step.have >= 0 {
			have.Set(uint(step.have))
		}
		f.blocks = step.blocks
		if got := f.Missing(have, nil); got != step.want {
			t.Errorf("%+v: %d bytes", step, got)
		}
		lastWanted := min(step.want, 1000)
		if got := f.Missing(have, last); got != lastWanted {
			t.Errorf("%+v, the last piece wanted: %d bytes, want %d", step, got, lastWanted)
		}
	}
}
