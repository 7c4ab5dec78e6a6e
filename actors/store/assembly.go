package store

import (
	"slices"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// held is a block that has come.
type held struct {
	begin, length uint32
	data          *buffer.Block // nil: it is in its place on disk, unverified
	from          messages.PeerKey
}

// partial is a piece under way.
type partial struct {
	piece    int
	blocks   []held // by begin, without overlaps
	covered  int64  // bytes in blocks
	memory   int64  // bytes of them in memory and not on their way to the disk
	spilling bool   // some are on their way to the disk
}

// assembly puts blocks together to pieces, in whatever order and from
// whomever they come. It owns the buffers of unfinished pieces.
type assembly struct {
	torrent  *metainfo.Torrent
	pool     *buffer.Pool
	closed   *bitset.BitSet // pieces that take no blocks: verified, or whole and on their way
	partials map[int]*partial
	memory   int64 // sum over partials
	spare    []*partial
	scratch  []*buffer.Block
}

func newAssembly(t *metainfo.Torrent, pool *buffer.Pool, have *bitset.BitSet) *assembly {
	return &assembly{torrent: t, pool: pool, closed: have.Clone(), partials: map[int]*partial{}}
}

// add takes a block over. It returns the piece that became whole by it, if
// any; the piece leaves the assembly, and comes back with drop or restart.
// Blocks that are no use are released: of closed pieces, those that overlap with
// what is there, and those that are not what they say.
func (a *assembly) add(from messages.PeerKey, b messages.StoredBlock) *partial {
	piece := int(b.Piece)
	if piece >= a.torrent.PieceCount() || a.closed.Test(uint(piece)) || b.Length == 0 ||
		int64(b.Begin)+int64(b.Length) > a.torrent.PieceSize(piece) || len(b.Data.Bytes()) != int(b.Length) {
		b.Data.Release()
		return nil
	}
	p := a.partials[piece]
	if p == nil {
		p = a.begin(piece)
	}
	at, found := slices.BinarySearchFunc(p.blocks, b.Begin, func(h held, begin uint32) int { return int(h.begin) - int(begin) })
	if found ||
		at > 0 && p.blocks[at-1].begin+p.blocks[at-1].length > b.Begin ||
		at < len(p.blocks) && b.Begin+b.Length > p.blocks[at].begin {
		b.Data.Release()
		return nil
	}
	p.blocks = slices.Insert(p.blocks, at, held{b.Begin, b.Length, b.Data, from})
	p.covered += int64(b.Length)
	p.memory += int64(b.Length)
	a.memory += int64(b.Length)
	return a.whole(p)
}

func (a *assembly) begin(piece int) *partial {
	p := &partial{}
	if n := len(a.spare); n > 0 {
		p, a.spare = a.spare[n-1], a.spare[:n-1]
	}
	p.piece = piece
	a.partials[piece] = p
	return p
}

// whole takes p out if nothing is missing and nothing is on its way to disk.
func (a *assembly) whole(p *partial) *partial {
	if p.spilling || p.covered < a.torrent.PieceSize(p.piece) {
		return nil
	}
	a.memory -= p.memory
	a.closed.Set(uint(p.piece))
	delete(a.partials, p.piece)
	return p
}

// drop ends a piece that has left the assembly: it is on disk.
func (a *assembly) drop(p *partial) {
	a.release(p)
	p.blocks, p.covered, p.memory = p.blocks[:0], 0, 0
	a.spare = append(a.spare, p)
}

// restart ends a piece that turned out corrupt: all of it has to come again.
func (a *assembly) restart(p *partial) {
	a.closed.Clear(uint(p.piece))
	a.drop(p)
}

func (a *assembly) release(p *partial) {
	for i := range p.blocks {
		if b := p.blocks[i].data; b != nil {
			a.scratch = append(a.scratch, b)
		}
	}
	a.pool.ReleaseAll(a.scratch)
	a.scratch = a.scratch[:0]
	clear(p.blocks)
}

// spill picks the piece with the most bytes in memory and appends to dst its
// blocks that are, if there is one. Until spilled is called the piece does not
// become whole and keeps the blocks, which must not be released.
func (a *assembly) spill(dst []held) (*partial, []held) {
	var fullest *partial
	for _, p := range a.partials {
		if !p.spilling && p.memory > 0 && (fullest == nil || p.memory > fullest.memory ||
			p.memory == fullest.memory && p.piece < fullest.piece) {
			fullest = p
		}
	}
	if fullest == nil {
		return nil, dst
	}
	for _, b := range fullest.blocks {
		if b.data != nil {
			dst = append(dst, b)
		}
	}
	fullest.spilling = true
	a.memory -= fullest.memory
	fullest.memory = 0
	return fullest, dst
}

// spilled ends a spill: blocks are on disk, and their buffers are released. It
// returns p if it has become whole meanwhile.
func (a *assembly) spilled(p *partial, blocks []held) *partial {
	p.spilling = false
	for i, j := 0, 0; i < len(p.blocks) && j < len(blocks); i++ {
		if p.blocks[i].begin == blocks[j].begin {
			p.blocks[i].data = nil
			a.scratch = append(a.scratch, blocks[j].data)
			j++
		}
	}
	a.pool.ReleaseAll(a.scratch)
	a.scratch = a.scratch[:0]
	return a.whole(p)
}

// close releases what no worker has in its hands.
func (a *assembly) close() {
	for _, p := range a.partials {
		if !p.spilling {
			a.release(p)
		}
	}
	clear(a.partials)
}

// contributors are those whose blocks the piece is made of.
func (p *partial) contributors() []messages.PeerKey {
	var keys []messages.PeerKey
	for _, b := range p.blocks {
		keys = append(keys, b.from)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
