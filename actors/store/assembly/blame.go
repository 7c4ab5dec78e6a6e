package assembly

import (
	"slices"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// maxSuspects is how many blocks of corrupt pieces are remembered, 2 MiB in
// all; the oldest pieces are forgotten first.
const maxSuspects = 1 << 16

// Blame remembers who sent which block of a corrupt piece, and the hash of each
// block. When the piece has been downloaded again and is right, the blocks that
// differ show which peers sent wrong ones.
type Blame struct {
	suspects map[int][]suspect // by piece
	order    []int             // pieces, oldest first
	total    int
}

type suspect struct {
	begin, length uint32
	from          messages.PeerKey
	sum           metainfo.Hash
}

// NewBlame returns a Blame without suspects.
func NewBlame() *Blame { return &Blame{suspects: map[int][]suspect{}} }

// Suspected tells whether a piece was corrupt, so that the hash of each block
// is needed when it has been downloaded again.
func (b *Blame) Suspected(piece int) bool { return len(b.suspects[piece]) > 0 }

// Record remembers the blocks of a corrupt piece, each with its hash.
func (b *Blame) Record(piece int, blocks []Block, sums []metainfo.Hash) {
	if len(blocks) > maxSuspects {
		return
	}
	if !b.Suspected(piece) {
		b.order = append(b.order, piece)
	}
	for i, h := range blocks {
		b.suspects[piece] = append(b.suspects[piece], suspect{h.Begin, h.Length, h.From, sums[i]})
	}
	b.total += len(blocks)
	for b.total > maxSuspects {
		b.forget(b.order[0])
	}
}

// Settle is given the right blocks of a piece with their hashes. It returns the
// peers that had sent a block that differs, and forgets the piece.
func (b *Blame) Settle(piece int, blocks []Block, sums []metainfo.Hash) []messages.PeerKey {
	var guilty []messages.PeerKey
	for _, s := range b.suspects[piece] {
		i, found := slices.BinarySearchFunc(blocks, s.begin, func(h Block, begin uint32) int { return int(h.Begin) - int(begin) })
		if found && blocks[i].Length == s.length && sums[i] != s.sum {
			guilty = append(guilty, s.from)
		}
	}
	b.forget(piece)
	slices.Sort(guilty)
	return slices.Compact(guilty)
}

func (b *Blame) forget(piece int) {
	b.total -= len(b.suspects[piece])
	delete(b.suspects, piece)
	b.order = slices.DeleteFunc(b.order, func(p int) bool { return p == piece })
}
