package peer

import (
	"slices"

	"kouzui/messages"
	"kouzui/wire/frame"
)

const (
	// maxUploads is how many requests of a peer wait at a time. Further ones are
	// rejected, or ignored if the peer does not speak the fast extension; the peer
	// has to ask again.
	maxUploads = 2000
	// minHandedOver and maxHandedOver bound how many bytes the link holds at a
	// time, which is what it sends in half a second. A block that it holds is
	// sent, whatever is cancelled or choked later.
	minHandedOver = 64 << 10
	maxHandedOver = 1 << 20
	// maxInquiry is about how many of the blocks that wait the store is asked at a
	// time.
	maxInquiry = 64
)

// uploads are the blocks that the other side has asked for: first queued, then
// with the link. The store says which pieces may be served.
type uploads struct {
	queue  []messages.Block
	handed int64 // bytes with the link
	rate   int64 // at which it takes them, in bytes a second

	servable []messages.PieceRun // the one used last comes first
	source   messages.BlockSource
	asking   bool // the store's answer is to come
}

// request queues a block; false means that there is no room.
func (u *uploads) request(b messages.Block) bool {
	if len(u.queue) >= maxUploads {
		return false
	}
	u.queue = append(u.queue, b)
	return true
}

// cancel drops a request; false means that none waits.
func (u *uploads) cancel(b messages.Block) bool {
	i := slices.Index(u.queue, b)
	if i < 0 {
		return false
	}
	u.queue = slices.Delete(u.queue, i, i+1)
	return true
}

func (u *uploads) idle() bool { return len(u.queue) == 0 && !u.asking && u.handed == 0 }

// clear forgets the blocks that the link does not hold yet: we choke.
func (u *uploads) clear() { u.queue = nil }

// full tells whether the link holds enough.
func (u *uploads) full() bool { return u.handed >= u.maxHanded() }

func (u *uploads) maxHanded() int64 { return max(minHandedOver, min(u.rate/2, maxHandedOver)) }

// sent records bytes that the link has sent, and of its present rate.
func (u *uploads) sent(bytes int64, rate float64) { u.handed, u.rate = u.handed-bytes, int64(rate) }

func (u *uploads) maySend(piece uint32) bool {
	for i, run := range u.servable {
		if run.Holds(piece) {
			u.servable[0], u.servable[i] = run, u.servable[0]
			return true
		}
	}
	return false
}

// serve appends to dst the blocks that the link is to send next, up to the
// first that may not be sent yet, and returns how many bytes they have: no more
// than bytes.
func (u *uploads) serve(dst []messages.Outgoing, pieceLength int64, bytes int) (_ []messages.Outgoing, served int) {
	n, most := 0, u.maxHanded()
	for ; n < len(u.queue) && u.handed < most; n++ {
		b := u.queue[n]
		length := int(b.Length)
		if served+length > bytes || n > 0 && u.handed+int64(length) > most || !u.maySend(b.Piece) {
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

// inquire returns the pieces that the store is to be asked about before more
// can be served: nil if there are none, or an answer is to come.
func (u *uploads) inquire() (pieces []uint32) {
	if u.asking || u.full() || len(u.queue) == 0 || u.maySend(u.queue[0].Piece) {
		return nil
	}
	u.asking = true
	for _, b := range u.queue[:min(len(u.queue), maxInquiry)] {
		if !slices.Contains(pieces, b.Piece) {
			pieces = append(pieces, b.Piece)
		}
	}
	return pieces
}

// answered takes the store's answer, drops the blocks that may not be sent,
// whose pieces we never announced, and returns those.
func (u *uploads) answered(m *messages.PiecesServable) (refused []messages.Block) {
	u.asking, u.servable, u.source = false, m.Runs, m.Source
	front := min(len(u.queue), maxInquiry)
	kept := slices.DeleteFunc(u.queue[:front:front], func(b messages.Block) bool {
		if !slices.Contains(m.Pieces, b.Piece) || u.maySend(b.Piece) {
			return false
		}
		refused = append(refused, b)
		return true
	})
	u.queue = slices.Delete(u.queue, len(kept), front)
	return refused
}
