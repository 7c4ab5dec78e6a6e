package choice

import (
	"slices"

	"kouzui/wire/metainfo"
)

const (
	// ahead is how many bytes behind the place of somebody who reads are needed
	// before all else: some seconds of a film, and enough pieces for many peers.
	ahead = 16 << 20
	// leastAhead is how many pieces these are at least.
	leastAhead = 4
)

// Ahead is the pieces that somebody who reads a file at a place in it is about
// to need, in that order. Behind the first piece of the file comes its last
// one: there many containers have their index.
func Ahead(t *metainfo.Torrent, file int, at int64) (pieces []uint32) {
	f := &t.Files[file]
	first, end := t.FilePieces(file)
	from := int((f.Offset + min(at, max(f.Length-1, 0))) / t.PieceLength)
	for i := from; i < min(from+max(leastAhead, int(ahead/t.PieceLength)), end); i++ {
		pieces = append(pieces, uint32(i))
		if i == first {
			pieces = append(pieces, uint32(end-1))
		}
	}
	return pieces
}

// InTurn is the elements of several lists, one of each in turn, each element
// once.
func InTurn(lists [][]uint32) (all []uint32) {
	longest := 0
	for _, list := range lists {
		longest = max(longest, len(list))
	}
	for rank := range longest {
		for _, list := range lists {
			if rank < len(list) && !slices.Contains(all, list[rank]) {
				all = append(all, list[rank])
			}
		}
	}
	return all
}
