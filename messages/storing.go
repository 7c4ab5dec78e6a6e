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

// StoreBlocks: peer to store. The buffers move to the store. Blocks that it
// does not need any more are dropped in silence.
type StoreBlocks struct {
	Key    PeerKey
	Blocks []StoredBlock
}

// QueryServable: peer to store. Which of these pieces, and of those beside them,
// may be served? The store answers ReplyTo with PiecesServable.
type QueryServable struct {
	Link    uint64
	Pieces  []uint32
	ReplyTo *actor.PID
}

// PiecesServable: store to peer, the answer to one QueryServable, in the order in
// which they were sent. Of Pieces those in one of Runs are verified, and what
// is verified stays so: the peer serves it from Source for as long as the link
// lasts, without asking again. When the store ends, Source refuses. Runs is the
// receiver's.
type PiecesServable struct {
	Link   uint64
	Pieces []uint32
	Runs   []PieceRun
	Source BlockSource
}

// PieceRun is the pieces from From up to but not including To.
type PieceRun struct{ From, To uint32 }

// Holds tells whether a piece is among them.
func (r PieceRun) Holds(piece uint32) bool { return r.From <= piece && piece < r.To }

// StoreReady: store to scheduler, once for each life of the store, when it
// knows what is there. The scheduler owns Have. Until then nothing is asked
// for.
type StoreReady struct {
	Have *bitset.BitSet
	// Checked counts the pieces that had to be read and hashed for it.
	Checked int
	// Complete: nothing has to be fetched or written. All pieces are there, under
	// the final name of the data; or, if only some are wanted, these are, and the
	// journal says so. StoreFinished follows at once.
	Complete bool
}

// StoreChecking: store to scheduler, from time to time while it reads and
// hashes what it found.
type StoreChecking struct{ Done, Total int }

// QueryKnownPieces: store to torrent, once for each life of the store, before it
// knows what is there. The torrent answers with PiecesKnown.
type QueryKnownPieces struct{ ReplyTo *actor.PID }

// Stamp is how a file looked. While it looks the same, it is the same file with
// the same bytes, as far as its file system keeps track.
type Stamp struct {
	ID       uint64 // of the file within its file system; 0: unknown
	Size     int64  // bytes; -1: there was no file
	Modified int64  // nanoseconds since 1970
	// Changed is when anything about the file was changed last, which unlike
	// Modified nobody can set; 0: unknown.
	Changed int64
}

// PiecesKnown: store to torrent, when it has found out what is there and from
// time to time while it does: which pieces are known, and which of them are
// right. The torrent keeps it up to date with PieceVerified, and hands it to
// the store's successor when that asks; both sets are nil if there is nothing
// to tell. The sets are the receiver's.
type PiecesKnown struct {
	Known, Have *bitset.BitSet
	// Stamps are how the files looked when that was so; nil: nobody looked. Of a
	// file that looks different now nothing is known.
	Stamps []Stamp
	// Doubts: so often in a row the data looked changed and was not. From
	// torrent to store.
	Doubts int
}

// DataChanged: store to torrent, the last that the store does. Somebody else
// has changed the data, or it can no longer be read; nothing more of it is
// served. The torrent begins anew with another engine, whose peers hear what is
// still there, and whose store checks what Stale does not vouch for.
type DataChanged struct {
	Err   error
	Stale PiecesKnown
}

// PieceVerified: store to scheduler and torrent. The piece has the right hash and is
// written; it may be announced and served. Its memory is free again.
type PieceVerified struct {
	Piece uint32
	At    time.Time
}

// PieceCorrupt: store to scheduler. The piece failed its hash and all of it has
// to come again. Contributors are those whose blocks it was made of.
type PieceCorrupt struct {
	Piece        uint32
	Contributors []PeerKey
}

// DropPiece: scheduler to store. What has come of an unfinished piece shall not be
// mixed with what others bring: all of it has to come again. The store answers
// PieceDropped, unless the piece is whole: then it is judged by its hash.
type DropPiece struct{ Piece uint32 }

// PieceDropped: store to scheduler, when nothing of the piece is held any more.
type PieceDropped struct{ Piece uint32 }

// BlocksSpilled: store to scheduler. These blocks of an unfinished piece left
// memory for the disk, unverified; they need not come again.
type BlocksSpilled struct {
	Piece  uint32
	Blocks int
}

// BlameProven: store to scheduler. A piece that was corrupt has now come
// right, and these peers had sent the blocks that differ.
type BlameProven struct {
	Piece uint32
	Peers []PeerKey
}

// StoreFailed: store to scheduler and torrent, when the disk refuses. Nothing
// more is asked for until StoreRecovered. Blocks that could not be written are
// kept by the store, or named in Lost and have to come again. Fatal means that
// the store cannot work at all, and the torrent ends with Err.
type StoreFailed struct {
	Err   error // errors.Is tells world.ErrFull and the like
	Full  bool
	Fatal bool
	Lost  []Block
}

// StoreRecovered: store to scheduler and torrent, when writing works again.
type StoreRecovered struct{}

// StoreFinished: store to scheduler, when all wanted pieces are verified and
// synced, and the journal is saved; if that was so from the start it follows
// StoreReady at once. Each SetWanted is answered by one, as soon as its pieces
// are there.
type StoreFinished struct {
	// Whole: these are all pieces of the torrent, and the data has its final name.
	// Otherwise it keeps the name of partial data.
	Whole bool
}

// SetMemory: engine to store and scheduler: how many bytes of payload may be
// asked for or held in memory at a time, other than they were built with.
type SetMemory struct{ Bytes int64 }

// Flush: torrent to store, before it stops. The store finishes what is being
// written, saves its journal and answers Flushed to ReplyTo.
type Flush struct{ ReplyTo *actor.PID }

// Flushed: store to the sender of Flush.
type Flushed struct{ Err error }
