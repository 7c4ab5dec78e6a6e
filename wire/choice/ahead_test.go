package choice

import (
	"slices"
	"testing"
)

func TestAhead(t *testing.T) {
	torrent := of(t, 40, "a", "b") // pieces of 8 bytes
	for at, want := range map[int64][]uint32{
		0:  {0, 4, 1, 2, 3, 4},
		8:  {1, 2, 3, 4},
		39: {4},
		99: {4},
	} {
		if got := Ahead(torrent, 0, at); !slices.Equal(got, want) {
			t.Errorf("at %d: %v, want %v", at, got, want)
		}
	}
	if got := Ahead(torrent, 1, 31); !slices.Equal(got, []uint32{8, 9}) {
		t.Errorf("in the second file: %v", got)
	}
}

func TestInTurn(t *testing.T) {
	if got := InTurn([][]uint32{{1, 2, 3}, {}, {7, 2}, {1}}); !slices.Equal(got, []uint32{1, 7, 2, 3}) {
		t.Error(got)
	}
}
