package peer

import (
	"slices"

	"kouzui/messages"
	"kouzui/wire/frame"
)

const (
	// maxUploads is how many requests of a peer wait at a time; what it asks
	// beyond is ignored, and it has to ask again.
	maxUploads = 2000
	// handOverLeast and handOverMost bound how many bytes are with the link at a
	// time: what it takes in half a second. Until a block is there a cancel and a
	// choke keep it from being sent.
	handOverLeast = 64 << 10
	handOverMost  = 1 << 20
	// inquiry is how many of the blocks that wait the store is asked about at a
	// time.
	inquiry = 64
)

// uploads are the blocks that the other side has asked for: queued, then with
// the link. What may be served is leased from the store.
type uploads struct {
	queue  []messages.Block
	handed int64 // bytes with the link
	rate   int64 // at which it takes them, in bytes a second

	lease  []messages.PieceRun // the one used last first
	source messages.BlockSource
	asking bool // the store
}

// request queues a block; false means that there is no room.
func (u *uploads) request(b messages.Block) bool {
	if len(u.queue) >= maxUploads {
		return false
	}
	u.queue = append(u.queue, b)
	return true
}

func (u *uploads) cancel(b messages.Block) {
	if i := slices.Index(u.queue, b); i >= 0 {
		u.queue = slices.Delete(u.queue, i, i+1)
	}
}

func (u *uploads) idle() bool { return len(u.queue) == 0 && !u.asking && u.handed == 0 }

// clear forgets what is not with the link yet, as our choke does.
func (u *uploads) clear() { u.queue = nil }

func (u *uploads) full() bool { return u.handed >= u.handOver() }

func (u *uploads) handOver() int64 { return max(handOverLeast, min(u.rate/2, handOverMost)) }

// sent takes note of what the link has taken, and at what rate it does so of late.
func (u *uploads) sent(bytes int64, rate float64) { u.handed, u.rate = u.handed-bytes, int64(rate) }

func (u *uploads) leased(piece uint32) bool {
	for i, run := range u.lease {
		if run.Holds(piece) {
			u.lease[0], u.lease[i] = run, u.lease[0]
			return true
		}
	}
	return false
}

// serve appends the blocks whose turn it is to dst, up to the first that is not
// leased, and returns how many bytes they have: no more than bytes.
func (u *uploads) serve(dst []messages.Outgoing, pieceLength int64, bytes int) (_ []messages.Outgoing, served int) {
	n, most := 0, u.handOver()
	for ; n < len(u.queue) && u.handed < most; n++ {
		b := u.queue[n]
		length := int(b.Length)
		if served+length > bytes || n > 0 && u.handed+int64(length) > most || !u.leased(b.Piece) {
			break
		}
		dst = append(dst, messages.Outgoing{
			Frame:  frame.Frame{Kind: frame.Piece, Index: b.Piece, Begin: b.Begin, Length: b.Length},
			Source: u.source,
			Offset: int64(b.Piece)*pieceLength + int64(b.Begin),
		})
		served += length
		u.handed += int64(length)
	}
	u.queue = slices.Delete(u.queue, 0, n)
	return dst, served
}

// inquire is what the store has to be asked before more can be served: nil if
// there is nothing, or an answer to come.
func (u *uploads) inquire() (pieces []uint32) {
	if u.asking || u.full() || len(u.queue) == 0 || u.leased(u.queue[0].Piece) {
		return nil
	}
	u.asking = true
	for _, b := range u.queue[:min(len(u.queue), inquiry)] {
		if !slices.Contains(pieces, b.Piece) {
			pieces = append(pieces, b.Piece)
		}
	}
	return pieces
}

// answered takes the store's answer, and drops the blocks that it refuses:
// their pieces were never announced. It returns how many.
func (u *uploads) answered(m *messages.PiecesServable) (refused int) {
	u.asking, u.lease, u.source = false, m.Runs, m.Source
	front := min(len(u.queue), inquiry)
	kept := slices.DeleteFunc(u.queue[:front:front], func(b messages.Block) bool {
		return slices.Contains(m.Pieces, b.Piece) && !u.leased(b.Piece)
	})
	refused = front - len(kept)
	u.queue = slices.Delete(u.queue, len(kept), front)
	return refused
}
