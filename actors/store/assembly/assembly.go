// Package assembly puts the blocks that peers send together to pieces, and
// remembers which peer sent which block of a corrupt piece.
package assembly

import (
	"slices"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// Block is a block that has arrived.
type Block struct {
	Begin, Length uint32 // bytes, within the piece
	// Data is nil if the block is in its place on disk, unverified, or if nobody
	// sent it: padding, which Files reads as zeros.
	Data *buffer.Block
	From messages.PeerKey
}

// Piece is a piece of which blocks have arrived and that is not verified yet.
type Piece struct {
	Index  int
	Blocks []Block // by Begin, without overlaps
	Hashed Prefix
	// Dropped: the piece is to be forgotten once its blocks that are being written
	// are on disk.
	Dropped bool

	covered  int64 // bytes in Blocks
	memory   int64 // bytes of Blocks that are in memory and not being written
	spilling bool  // some blocks are being written to disk
	run      int64 // bytes in memory that follow Hashed without a gap
	long     bool  // the piece is in Assembly.long
}

// Prefix is the beginning of a piece that was hashed when it was written to
// disk, before the rest of the piece had arrived.
type Prefix struct {
	Bytes int64
	State []byte // of the hash, encoded
}

// Set makes p a copy of q.
func (p *Prefix) Set(q Prefix) { p.Bytes, p.State = q.Bytes, append(p.State[:0], q.State...) }

// Assembly puts blocks together to pieces, in any order and from any peers. It
// owns the buffers of unfinished pieces.
type Assembly struct {
	Memory int64 // bytes that unfinished pieces hold in memory
	// Extend is the length in bytes from which a run is long, which means that it
	// is hashed and written before the rest of its piece has arrived. 0: no run
	// is.
	Extend int64

	torrent *metainfo.Torrent
	pool    *buffer.Pool
	closed  *bitset.BitSet // pieces that take no blocks: verified, or whole and being verified
	corrupt map[int]bool   // pieces that were corrupt: peers have to send their padding too
	pieces  map[int]*Piece
	long    []*Piece // pieces that have a long run, or had one
	spare   []*Piece
	scratch []*buffer.Block
}

// New returns an assembly for the pieces that are not in have.
func New(t *metainfo.Torrent, pool *buffer.Pool, have *bitset.BitSet) *Assembly {
	return &Assembly{torrent: t, pool: pool, closed: have.Clone(), corrupt: map[int]bool{}, pieces: map[int]*Piece{}}
}

// Add takes a block. It returns the block's piece if that is whole now; the
// assembly then takes no more blocks of the piece, and the caller gives it back
// with Drop or Restart. Add releases a block at once if its piece takes none,
// if it overlaps another block, or if its data does not have the length that it
// claims.
func (a *Assembly) Add(from messages.PeerKey, b messages.StoredBlock) *Piece {
	piece := int(b.Piece)
	if piece >= a.torrent.PieceCount() || a.closed.Test(uint(piece)) || b.Length == 0 ||
		int64(b.Begin)+int64(b.Length) > a.torrent.PieceSize(piece) || len(b.Data.Bytes()) != int(b.Length) {
		b.Data.Release()
		return nil
	}
	p := a.pieces[piece]
	if p == nil {
		p = a.begin(piece)
	}
	at, found := slices.BinarySearchFunc(p.Blocks, b.Begin, func(h Block, begin uint32) int { return int(h.Begin) - int(begin) })
	if found ||
		at > 0 && p.Blocks[at-1].Begin+p.Blocks[at-1].Length > b.Begin ||
		at < len(p.Blocks) && b.Begin+b.Length > p.Blocks[at].Begin {
		b.Data.Release()
		return nil
	}
	p.Blocks = slices.Insert(p.Blocks, at, Block{b.Begin, b.Length, b.Data, from})
	p.covered += int64(b.Length)
	p.memory += int64(b.Length)
	a.Memory += int64(b.Length)
	a.measure(p, at)
	return a.whole(p)
}

// measure extends the run by the blocks from index at on that follow it.
func (a *Assembly) measure(p *Piece, at int) {
	for ; at < len(p.Blocks) && p.Blocks[at].Data != nil && int64(p.Blocks[at].Begin) == p.Hashed.Bytes+p.run; at++ {
		p.run += int64(p.Blocks[at].Length)
	}
	if a.Extend > 0 && p.run >= a.Extend && !p.long {
		p.long = true
		a.long = append(a.long, p)
	}
}

func (a *Assembly) begin(piece int) *Piece {
	p := &Piece{}
	if n := len(a.spare); n > 0 {
		p, a.spare = a.spare[n-1], a.spare[:n-1]
	}
	p.Index = piece
	a.pieces[piece] = p
	if !a.corrupt[piece] {
		a.pad(p)
	}
	return p
}

// pad puts in the blocks of padding, for which peers are not asked.
func (a *Assembly) pad(p *Piece) {
	for first, end := range a.torrent.PaddingBlocks(p.Index, buffer.Size) {
		for i := first; i < end; i++ {
			begin := int64(i) * buffer.Size
			b := Block{Begin: uint32(begin), Length: uint32(min(buffer.Size, a.torrent.PieceSize(p.Index)-begin)), From: messages.Nobody}
			p.Blocks = append(p.Blocks, b)
			p.covered += int64(b.Length)
		}
	}
}

// whole returns p, and removes it from the assembly, if no block is missing and
// none is being written.
func (a *Assembly) whole(p *Piece) *Piece {
	if p.spilling || p.Dropped || p.covered < a.torrent.PieceSize(p.Index) {
		return nil
	}
	a.Memory -= p.memory
	a.closed.Set(uint(p.Index))
	delete(a.pieces, p.Index)
	return p
}

// Drop releases a piece that was whole and is on disk now, and reuses it.
func (a *Assembly) Drop(p *Piece) {
	a.Release(p)
	*p = Piece{Blocks: p.Blocks[:0], Hashed: Prefix{State: p.Hashed.State[:0]}}
	a.spare = append(a.spare, p)
}

// Restart does the same with a piece that was whole and is corrupt, and takes
// blocks of it again.
func (a *Assembly) Restart(p *Piece) {
	a.closed.Clear(uint(p.Index))
	a.corrupt[p.Index] = true
	a.Drop(p)
}

// Forget does the same with an unfinished piece. It returns false if the piece
// is whole, or if blocks of the piece are being written; in the latter case it
// marks the piece as Dropped.
func (a *Assembly) Forget(piece int) bool {
	p := a.pieces[piece]
	if p == nil {
		return !a.closed.Test(uint(piece))
	}
	if p.Dropped = p.spilling; p.Dropped {
		return false
	}
	a.Memory -= p.memory
	delete(a.pieces, piece)
	a.Drop(p)
	return true
}

// Release releases the blocks of a piece.
func (a *Assembly) Release(p *Piece) {
	for i := range p.Blocks {
		if b := p.Blocks[i].Data; b != nil {
			a.scratch = append(a.scratch, b)
		}
	}
	a.pool.ReleaseAll(a.scratch)
	a.scratch = a.scratch[:0]
	clear(p.Blocks)
}

// Spill picks the piece with the most bytes in memory, nil if there is none,
// and appends to dst its blocks that are in memory. Until Spilled is called
// these belong to the caller and the piece does not become whole.
func (a *Assembly) Spill(dst []Block) (*Piece, []Block) {
	var fullest *Piece
	for _, p := range a.pieces {
		if !p.spilling && p.memory > 0 && (fullest == nil || p.memory > fullest.memory ||
			p.memory == fullest.memory && p.Index < fullest.Index) {
			fullest = p
		}
	}
	if fullest == nil {
		return nil, dst
	}
	return fullest, a.lend(dst, fullest, 0, len(fullest.Blocks))
}

// Long tells whether a piece may have a long run.
func (a *Assembly) Long() bool { return len(a.long) > 0 }

// SpillRun is Spill for a piece with a long run, and for Extend bytes of the
// run only: runs that are hashed side by side should be of one length.
func (a *Assembly) SpillRun(dst []Block) (*Piece, []Block) {
	for len(a.long) > 0 {
		p := a.long[len(a.long)-1]
		a.long = a.long[:len(a.long)-1]
		p.long = false
		if a.pieces[p.Index] != p || p.spilling || p.run < a.Extend {
			continue
		}
		from := p.find(p.Hashed.Bytes)
		return p, a.lend(dst, p, from, p.find(p.Hashed.Bytes+a.Extend))
	}
	return nil, dst
}

// find is the index of the first block that begins at begin or after it.
func (p *Piece) find(begin int64) int {
	at, _ := slices.BinarySearchFunc(p.Blocks, begin, func(h Block, begin int64) int { return int(int64(h.Begin) - begin) })
	return at
}

// lend appends to dst those of the blocks with indices in [from, to) that are
// in memory.
func (a *Assembly) lend(dst []Block, p *Piece, from, to int) []Block {
	for _, b := range p.Blocks[from:to] {
		if b.Data != nil {
			dst = append(dst, b)
			p.memory -= int64(b.Length)
			a.Memory -= int64(b.Length)
		}
	}
	p.spilling, p.run = true, 0
	return dst
}

// Spilled ends a Spill or SpillRun: the blocks are on disk, and the beginning
// of the piece is hashed so far. It returns p if it is whole now.
func (a *Assembly) Spilled(p *Piece, blocks []Block, hashed Prefix) *Piece {
	p.spilling = false
	for i, j := 0, 0; i < len(p.Blocks) && j < len(blocks); i++ {
		if p.Blocks[i].Begin == blocks[j].Begin {
			p.Blocks[i].Data = nil
			a.scratch = append(a.scratch, blocks[j].Data)
			j++
		}
	}
	a.pool.ReleaseAll(a.scratch)
	a.scratch = a.scratch[:0]
	p.Hashed.Set(hashed)
	a.measure(p, p.find(hashed.Bytes))
	return a.whole(p)
}

// Close releases all blocks but those of pieces with a Spill under way.
func (a *Assembly) Close() {
	for _, p := range a.pieces {
		if !p.spilling {
			a.Release(p)
		}
	}
	clear(a.pieces)
}

// Contributors are the peers whose blocks the piece is made of, and Nobody if
// some are padding: should that not be zeros, no peer is to blame.
func (p *Piece) Contributors() []messages.PeerKey {
	var keys []messages.PeerKey
	for _, b := range p.Blocks {
		keys = append(keys, b.From)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
