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
	dropped  bool   // it is to be forgotten when they are there
	hashed   prefix
	run      int64 // bytes in memory that follow the prefix without a gap
	long     bool  // it stands in assembly.long
}

// prefix is the beginning of a piece that has been hashed on its way to the disk.
type prefix struct {
	bytes int64
	state []byte // of the hash, encoded
}

// assembly puts blocks together to pieces, in whatever order and from
// whomever they come. It owns the buffers of unfinished pieces.
type assembly struct {
	torrent  *metainfo.Torrent
	pool     *buffer.Pool
	closed   *bitset.BitSet // pieces that take no blocks: verified, or whole and on their way
	partials map[int]*partial
	memory   int64 // sum over partials
	// A run of at least extend bytes is worth being hashed and written before the
	// rest of its piece is there; 0: none is.
	extend  int64
	long    []*partial // that have one, or had
	spare   []*partial
	scratch []*buffer.Block
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
	a.measure(p, at)
	return a.whole(p)
}

// measure looks how far the run goes on, from block `at` on.
func (a *assembly) measure(p *partial, at int) {
	for ; at < len(p.blocks) && p.blocks[at].data != nil && int64(p.blocks[at].begin) == p.hashed.bytes+p.run; at++ {
		p.run += int64(p.blocks[at].length)
	}
	if a.extend > 0 && p.run >= a.extend && !p.long {
		p.long = true
		a.long = append(a.long, p)
	}
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
	if p.spilling || p.dropped || p.covered < a.torrent.PieceSize(p.piece) {
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
	*p = partial{blocks: p.blocks[:0], hashed: prefix{state: p.hashed.state[:0]}}
	a.spare = append(a.spare, p)
}

// restart ends a piece that turned out corrupt: all of it has to come again.
func (a *assembly) restart(p *partial) {
	a.closed.Clear(uint(p.piece))
	a.drop(p)
}

// forget ends an unfinished piece: all of it has to come again. It returns false
// if that has to wait for a spill, or the piece has left the assembly.
func (a *assembly) forget(piece int) bool {
	p := a.partials[piece]
	if p == nil {
		return !a.closed.Test(uint(piece))
	}
	if p.dropped = p.spilling; p.dropped {
		return false
	}
	a.memory -= p.memory
	delete(a.partials, piece)
	a.drop(p)
	return true
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
	return fullest, a.lend(dst, fullest, 0, len(fullest.blocks))
}

// nextLong is spill for a long run, and for nothing but the run.
func (a *assembly) nextLong(dst []held) (*partial, []held) {
	for len(a.long) > 0 {
		p := a.long[len(a.long)-1]
		a.long = a.long[:len(a.long)-1]
		p.long = false
		if a.partials[p.piece] != p || p.spilling || p.run < a.extend {
			continue
		}
		from := p.find(p.hashed.bytes)
		return p, a.lend(dst, p, from, p.find(p.hashed.bytes+p.run))
	}
	return nil, dst
}

// find is the index of the first block that does not begin before begin.
func (p *partial) find(begin int64) int {
	at, _ := slices.BinarySearchFunc(p.blocks, begin, func(h held, begin int64) int { return int(int64(h.begin) - begin) })
	return at
}

// lend appends to dst those of the blocks that are in memory.
func (a *assembly) lend(dst []held, p *partial, from, to int) []held {
	for _, b := range p.blocks[from:to] {
		if b.data != nil {
			dst = append(dst, b)
			p.memory -= int64(b.length)
			a.memory -= int64(b.length)
		}
	}
	p.spilling, p.run = true, 0
	return dst
}

// spilled ends a spill: blocks are on disk, hashed so far, and their buffers are
// released. It returns p if it has become whole meanwhile.
func (a *assembly) spilled(p *partial, blocks []held, hashed prefix) *partial {
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
	p.hashed.bytes, p.hashed.state = hashed.bytes, append(p.hashed.state[:0], hashed.state...)
	a.measure(p, p.find(hashed.bytes))
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
