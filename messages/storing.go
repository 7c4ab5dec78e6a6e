package messages

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/wire/buffer"
)

// The conversations of the store with peers and the scheduler.

// StoredBlock is a block together with its payload.
type StoredBlock struct {
	Block
	Data *buffer.Block
}

// StoreBlocks: peer to store. The buffers move to the store, which drops blocks
// that it does not need any more.
type StoreBlocks struct {
	Key    PeerKey
	Blocks []StoredBlock
}

// PayloadBytes is what makes handling it take longer.
func (m *StoreBlocks) PayloadBytes() (n int) {
	for i := range m.Blocks {
		n += int(m.Blocks[i].Length)
	}
	return n
}

// QueryServable: peer to store. Which of these pieces, and of their neighbours,
// may be served? The store answers ReplyTo with PiecesServable.
type QueryServable struct {
	Link    uint64
	Pieces  []uint32
	ReplyTo *actor.PID
}

// PiecesServable: store to peer, the answer to a QueryServable; answers come in
// the order of the questions. Those of Pieces that are in one of Runs are
// verified and stay so: the peer serves them from Source for as long as its
// link lasts, without asking again. When the store ends, Source refuses. The
// receiver owns Runs.
type PiecesServable struct {
	Link   uint64
	Pieces []uint32
	Runs   []PieceRun
	Source BlockSource
}

// PieceRun is the pieces from From up to but not including To.
type PieceRun struct{ From, To uint32 }

// Holds tells whether a piece is in the run.
func (r PieceRun) Holds(piece uint32) bool { return r.From <= piece && piece < r.To }

// StoreReady: store to scheduler, once for each life of the store, when it
// knows which pieces are on disk. The scheduler owns Have, and has no block
// requested before.
type StoreReady struct {
	Have *bitset.BitSet
	// Checked is how many pieces had to be read and hashed to know that.
	Checked int
	// Complete: nothing has to be fetched or written. All pieces are there, under
	// the final name of the data; or, if only some are wanted, these are, and the
	// journal says so. StoreFinished follows at once.
	Complete bool
}

// StoreChecking: store to scheduler, from time to time while it hashes what it
// found on disk, in pieces.
type StoreChecking struct{ Done, Total int }

// QueryKnownPieces: store to torrent, once for each life of the store, at its
// start. The torrent answers with SetWanted, if it has been told one, and then
// PiecesKnown.
type QueryKnownPieces struct{ ReplyTo *actor.PID }

// Stamp is how a file looked. While it looks the same, it is the same file with
// the same bytes, as far as its file system keeps track.
type Stamp struct {
	ID       uint64 // of the file within its file system; 0: unknown
	Size     int64  // bytes; -1: there was no file
	Modified int64  // nanoseconds since 1970
	// Changed is when anything about the file was changed last, in nanoseconds
	// since 1970. Unlike Modified no program can set it. 0: unknown.
	Changed int64
}

// PiecesKnown: store to torrent, from time to time while it checks what is on
// disk, and when it has: which pieces it knows about, and which of these are
// right. The torrent keeps that up to date with PieceVerified, and sends it to
// the next store in answer to QueryKnownPieces; both sets are nil if nothing is
// known. The receiver owns the sets.
type PiecesKnown struct {
	Known, Have *bitset.BitSet
	// Stamps are how the files looked then; nil: they were not looked at. Of a
	// file that looks different now nothing is known.
	Stamps []Stamp
	// Doubts is how often in a row the data looked changed and was not. Only the
	// torrent sets it.
	Doubts int
}

// DataChanged: store to torrent, the last message of this store. Another
// program has changed a file, or a file can no longer be read; the store serves
// nothing more of that file. The torrent starts another engine, whose store
// checks all pieces that Stale does not list as known.
type DataChanged struct {
	Err   error
	Stale PiecesKnown
}

// PieceVerified: store to scheduler and torrent. The piece has the right hash
// and is written; it may be announced and served. Its memory is free again.
type PieceVerified struct {
	Piece uint32
	At    time.Time
}

// PieceCorrupt: store to scheduler. The piece failed its hash and all of it has
// to come again. Contributors are the peers whose blocks it was made of, and
// Nobody if some were padding; the scheduler bans one that sent all of it.
type PieceCorrupt struct {
	Piece        uint32
	Contributors []PeerKey
}

// DropPiece: scheduler to store. The store forgets the blocks of an unfinished
// piece, so that they are not mixed with the blocks of other peers, and answers
// PieceDropped. A piece that is whole is not dropped but judged by its hash.
type DropPiece struct{ Piece uint32 }

// PieceDropped: store to scheduler, when it holds no block of the piece any
// more.
type PieceDropped struct{ Piece uint32 }

// BlocksSpilled: store to scheduler. These blocks of an unfinished piece left
// memory for the disk, unverified; they need not come again.
type BlocksSpilled struct {
	Piece  uint32
	Blocks int
}

// BlameProven: store to scheduler. A piece that was corrupt has come right, and
// these peers had sent the blocks that differ. The scheduler bans them.
type BlameProven struct {
	Piece uint32
	Peers []PeerKey
}

// StoreFailed: store to scheduler and torrent, when the disk refuses. The
// scheduler has nothing requested until StoreRecovered. The store keeps the
// blocks that it could not write. Fatal means that the store cannot work at
// all, and the torrent ends with Err.
type StoreFailed struct {
	Err   error // errors.Is tells world.ErrFull and the like
	Full  bool
	Fatal bool
}

// StoreRecovered: store to scheduler and torrent, when writing works again.
type StoreRecovered struct{}

// StoreFinished: store to scheduler, when all wanted pieces are verified and
// synced, and the journal is saved; if that was so from the start it follows
// StoreReady at once. Each SetWanted is answered by one, as soon as its pieces
// are there. The scheduler goes by Have alone: a PieceVerified or SetWanted may
// come late.
type StoreFinished struct {
	// Have are the pieces that are verified and saved. If these are all pieces of
	// the torrent, the data has its final name, otherwise that of partial data.
	Have *bitset.BitSet
}

// SetMemory: engine to store and scheduler: how many bytes of payload may be
// asked for or held in memory at a time, other than they were built with.
type SetMemory struct{ Bytes int64 }

// Flush: torrent to store, before it stops. The store finishes what is being
// written, saves its journal and answers Flushed to ReplyTo.
type Flush struct{ ReplyTo *actor.PID }

// Flushed: store to the sender of Flush. Err is why not all is saved.
type Flushed struct{ Err error }
