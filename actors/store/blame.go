package store

import (
	"slices"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// maxSuspects bounds how many blocks of corrupt pieces are remembered; the
// oldest pieces are forgotten first.
const maxSuspects = 1 << 16

// blame remembers of corrupt pieces who sent what, so that the bytes convict
// the sender once the piece is known.
type blame struct {
	suspects map[int][]suspect // by piece
	order    []int             // pieces, oldest first
	total    int
}

type suspect struct {
	begin, length uint32
	from          messages.PeerKey
	sum           metainfo.Hash
}

func newBlame() *blame { return &blame{suspects: map[int][]suspect{}} }

func (b *blame) suspected(piece int) bool { return len(b.suspects[piece]) > 0 }

// record remembers the blocks of a corrupt piece, each with its sum.
func (b *blame) record(piece int, blocks []held, sums []metainfo.Hash) {
	if len(blocks) > maxSuspects {
		return
	}
	if !b.suspected(piece) {
		b.order = append(b.order, piece)
	}
	for i, h := range blocks {
		b.suspects[piece] = append(b.suspects[piece], suspect{h.begin, h.length, h.from, sums[i]})
	}
	b.total += len(blocks)
	for b.total > maxSuspects {
		b.forget(b.order[0])
	}
}

// settle returns those who sent a block of the piece that differs from the
// right one, and forgets the piece.
func (b *blame) settle(piece int, blocks []held, sums []metainfo.Hash) []messages.PeerKey {
	var guilty []messages.PeerKey
	for _, s := range b.suspects[piece] {
		i, found := slices.BinarySearchFunc(blocks, s.begin, func(h held, begin uint32) int { return int(h.begin) - int(begin) })
		if found && blocks[i].length == s.length && sums[i] != s.sum {
			guilty = append(guilty, s.from)
		}
	}
	b.forget(piece)
	slices.Sort(guilty)
	return slices.Compact(guilty)
}

func (b *blame) forget(piece int) {
	b.total -= len(b.suspects[piece])
	delete(b.suspects, piece)
	b.order = slices.DeleteFunc(b.order, func(p int) bool { return p == piece })
}
