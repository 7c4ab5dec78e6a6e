package hasher

import (
	"kouzui/actors/store/assembly"
	"kouzui/wire/metainfo"
)

// Task is what a job is for.
type Task uint8

const (
	Verify Task = iota // hash the blocks of a whole piece and, if they are right, write them
	Spill              // write some blocks of an unfinished piece, unverified
	Check              // hash pieces that are on disk
)

// Job travels from the store to a hash worker and back. The actor that received
// it last owns it; the buffers of its blocks always belong to the store.
type Job struct {
	Task  Task
	Probe bool  // the first write after the disk has refused one: it shows whether the disk works again
	Err   error // the disk failed

	// Of Verify and Spill:
	Piece  *assembly.Piece
	Blocks []assembly.Block // by Begin
	Hashed assembly.Prefix  // beginning of the piece that is hashed; Spill may extend it
	Good   bool             // Verify: the hash is right, and the piece is written
	Sums   []metainfo.Hash  // Verify: of each block, if the piece is or was corrupt

	// Of Check:
	Pieces []int  // up to digest.Lanes
	Right  []bool // which of them are
	Blank  []bool // which hold nothing but zeros
	Filled []bool // which have no block of zeros

	bytes   int64 // of Blocks in memory
	beside  bool  // it can be hashed beside others, see joins
	each    int   // Check: blocks of each piece that are read at a time
	checked int   // Check: bytes of all pieces
	sum     bool  // Verify: Sums are needed
	hashed  bool  // Verify: Good is known, as the piece was hashed beside others
	lost    int   // hash workers that died with it
}

// IgnoreDeadLetterLogging keeps jobs out of the trace.
func (*Job) IgnoreDeadLetterLogging() {}

// Release releases the blocks of a job that no store waits for.
func (j *Job) Release() {
	if j.Piece == nil {
		return
	}
	for _, b := range j.Piece.Blocks {
		if b.Data != nil {
			b.Data.Release()
		}
	}
	clear(j.Piece.Blocks)
}

// Batch: store to hash worker. The worker does the jobs, in their order, and
// sends each back when it is done.
type Batch struct {
	Jobs    []*Job
	deliver func(any) // to the incarnation that it is meant for
}

// PayloadBytes is how much the worker is to hash: what is in memory or, of a
// check, what is on disk.
func (b *Batch) PayloadBytes() (n int) {
	for _, j := range b.Jobs {
		n += j.checked + int(j.bytes)
	}
	return n
}

// Hand sends the batch to its worker.
func (b *Batch) Hand() { b.deliver(b) }

// Ready: hash worker to store, at the start of each incarnation. Deliver sends
// to this incarnation only. A worker thus never reads a Batch that was meant
// for an earlier incarnation, whose unfinished jobs the store sends again.
type Ready struct {
	Index   int
	Deliver func(any)
}
