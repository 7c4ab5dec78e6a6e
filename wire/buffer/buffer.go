// Package buffer has the blocks of memory in which payload travels through the
// process: the reader of a connection fills a block, messages pass it from
// owner to owner, and the last owner, who writes it to a disk or a socket,
// releases it.
//
// A block has one owner at a time. Whoever passes it on must not touch it
// again; whoever gets it releases it or passes it on. If an actor dies with a
// block in its mailbox, the block is garbage like any other memory; the pool
// keeps no list of the blocks that are in use. Releasing a block twice panics,
// and so does using it after its release. Under the race detector, released
// blocks are filled with a pattern that Get checks, so that a late write is
// found even through a slice taken earlier.
//
// The pool is safe for concurrent use, a single block is not. The pool limits
// how many free blocks it keeps, not how many are in use: that depends on how
// much payload peers are asked for.
package buffer

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Size is the capacity of a pooled block in bytes: one block of the peer
// protocol (BEP 3), and exactly one size class of the Go allocator.
const Size = 16 << 10

// small is the length below which Fit allocates memory of that length instead
// of taking a block from the pool.
const small = Size / 4

// released is the length of a block that has no owner.
const released = -1

// pattern fills released blocks under the race detector.
var pattern = bytes.Repeat([]byte{0xDB}, Size)

// Block is a piece of payload with one owner at a time. Its bytes are undefined
// until they are written.
type Block struct {
	data  []byte
	n     int
	own   int             // bytes of data that no other block shares
	pool  *Pool           // nil for a block that Fit allocated
	count runtime.Cleanup // takes the block out of the pool's count if it gets lost
}

// Bytes is the block's content. The slice is valid for as long as the caller
// owns the block.
func (b *Block) Bytes() []byte {
	if b.n == released {
		panic("buffer: use of a released block")
	}
	return b.data[:b.n]
}

// SetLen sets the content's length, up to the block's capacity.
func (b *Block) SetLen(n int) {
	if b.n == released {
		panic("buffer: use of a released block")
	}
	if n < 0 || n > len(b.data) {
		panic(fmt.Sprintf("buffer: length %d of a block of %d", n, len(b.data)))
	}
	b.n = n
}

// Release gives the block back to its pool. The caller must not use it
// afterwards.
func (b *Block) Release() {
	if b.pool == nil {
		b.retire()
		return
	}
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	b.pool.put(b)
}

// retire marks the block as released.
func (b *Block) retire() {
	if b.n == released {
		panic("buffer: block released twice")
	}
	b.n = released
	if poison {
		copy(b.data[:b.own], pattern)
	}
}

// Pool lends blocks, and keeps a limited number of those that came back. The
// block that came back last is lent first, because it is most likely still in
// the cache of the processor.
type Pool struct {
	keep   int
	own    int
	memory func() []byte
	// made counts the blocks that are free or in use. It is allocated separately,
	// because the cleanups of blocks refer to it: if they referred to the pool,
	// they would keep the pool and its free blocks alive for ever.
	made *atomic.Int64

	mu   sync.Mutex
	free []*Block
}

// NewPool makes a pool that keeps at most keep free blocks of Size bytes.
func NewPool(keep int) *Pool {
	return NewPoolOf(keep, Size, func() []byte { return make([]byte, Size) })
}

// NewPoolOf makes a pool whose blocks are allocated by memory. Only the first
// own bytes of each belong to one block alone; blocks may share the bytes
// behind them, see package described.
func NewPoolOf(keep, own int, memory func() []byte) *Pool {
	return &Pool{keep: keep, own: own, memory: memory, made: new(atomic.Int64)}
}

// Get lends a block of length Size.
func (p *Pool) Get() *Block {
	var one [1]*Block
	p.GetN(one[:])
	return one[0]
}

// GetN fills dst with blocks of length Size.
func (p *Pool) GetN(dst []*Block) {
	p.mu.Lock()
	n := min(len(dst), len(p.free))
	for i := range n {
		last := len(p.free) - 1
		dst[i], p.free[last] = p.free[last], nil
		p.free = p.free[:last]
		dst[i].n = Size
	}
	p.mu.Unlock()
	if poison {
		for _, b := range dst[:n] {
			if !bytes.Equal(b.data[:b.own], pattern[:b.own]) {
				panic("buffer: block written to after its release")
			}
		}
	}
	for i := n; i < len(dst); i++ {
		dst[i] = p.fresh()
	}
}

// Fit lends a block of length n, at most Size. A short one is allocated with
// that length and is garbage after its release, so that a peer that sends its
// payload in small parts uses no more than a few times as much memory as it
// sent.
func (p *Pool) Fit(n int) *Block {
	if n < small {
		return &Block{data: make([]byte, n, max(n, p.own%Size)), n: n, own: n}
	}
	b := p.Get()
	b.SetLen(n)
	return b
}

// ReleaseAll releases the blocks of bs, all from this pool or from Fit,
// skipping nils, and clears bs.
func (p *Pool) ReleaseAll(bs []*Block) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, b := range bs {
		switch {
		case b == nil:
		case b.pool == nil:
			b.retire()
		case b.pool == p:
			p.put(b)
		default:
			panic("buffer: block released to a foreign pool")
		}
		bs[i] = nil
	}
}

// Trim gives up free blocks until at most keep are left.
func (p *Pool) Trim(keep int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.free) > max(keep, 0) {
		last := len(p.free) - 1
		p.forget(p.free[last])
		p.free[last] = nil
		p.free = p.free[:last]
	}
}

// Stats is a pool's count of blocks of Size bytes. A block that got lost counts
// as live until the garbage collector has found it; the short blocks that Fit
// makes are not counted.
type Stats struct {
	Live int // owned by someone
	Free int // kept for the next Get
}

// Stats counts the pool's blocks.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{Live: int(p.made.Load()) - len(p.free), Free: len(p.free)}
}

// put takes a block back, with the lock held.
func (p *Pool) put(b *Block) {
	b.retire()
	if len(p.free) < p.keep {
		p.free = append(p.free, b)
	} else {
		p.forget(b)
	}
}

// fresh allocates one block. Blocks are not allocated together, because that
// memory would be in use until the last of them is garbage.
func (p *Pool) fresh() *Block {
	b := &Block{data: p.memory(), n: Size, own: p.own, pool: p}
	b.count = runtime.AddCleanup(b, func(made *atomic.Int64) { made.Add(-1) }, p.made)
	p.made.Add(1)
	return b
}

// forget gives up a released block.
func (p *Pool) forget(b *Block) {
	b.count.Stop()
	p.made.Add(-1)
}
