package peer

import (
	"slices"
	"time"

	"kouzui/messages"
)

// request is a block that we have asked for.
type request struct {
	messages.Block
	sent time.Time
}

// requests are the blocks that the scheduler wants from this peer: first
// waiting to be asked for, then under way. The answers mostly come in the order
// of asking, so looking one up starts at the oldest.
type requests struct {
	waiting []messages.Block
	flight  []request
	room    []request // what flight lies in: its head moves on with each answer
	// late is how many answers may still come to requests that we have dropped.
	late int
}

func (r *requests) outstanding() int { return len(r.waiting) + len(r.flight) }

// ask moves waiting blocks of up to bytes to those under way, and appends them
// to dst.
func (r *requests) ask(dst []messages.Block, bytes int, now time.Time) []messages.Block {
	n := 0
	r.makeRoom(len(r.waiting))
	for _, b := range r.waiting {
		if bytes -= int(b.Length); bytes < 0 {
			break
		}
		r.flight = append(r.flight, request{b, now})
		n++
	}
	dst = append(dst, r.waiting[:n]...)
	r.waiting = slices.Delete(r.waiting, 0, n)
	return dst
}

// makeRoom lets n more come under way without an allocation each time that the
// head has left the room behind.
func (r *requests) makeRoom(n int) {
	need := len(r.flight) + n
	if cap(r.flight) >= need {
		return
	}
	if len(r.room) < 2*need {
		room := make([]request, 4*need)
		r.flight, r.room = room[:copy(room, r.flight)], room
		return
	}
	r.flight = r.room[:copy(r.room, r.flight)]
}

// answer takes a block that came off those under way, and tells when it was
// asked for; false means that it was not, or not any more.
func (r *requests) answer(b messages.Block) (sent time.Time, ok bool) {
	i := slices.IndexFunc(r.flight, func(q request) bool { return q.Block == b })
	switch {
	case i < 0:
		return time.Time{}, false
	case i == 0:
		sent, r.flight = r.flight[0].sent, r.flight[1:] // nothing to be moved
	default:
		sent, r.flight = r.flight[i].sent, slices.Delete(r.flight, i, i+1)
	}
	return sent, true
}

// cancel drops blocks wherever they are, and appends those that have been asked
// for to dst.
func (r *requests) cancel(dst, blocks []messages.Block) []messages.Block {
	for _, b := range blocks {
		if i := slices.Index(r.waiting, b); i >= 0 {
			r.waiting = slices.Delete(r.waiting, i, i+1)
		} else if _, asked := r.answer(b); asked {
			r.late++
			dst = append(dst, b)
		}
	}
	return dst
}

// overdue drops the blocks asked for before limit, and appends them to dst.
func (r *requests) overdue(dst []messages.Block, limit time.Time) []messages.Block {
	r.flight = slices.DeleteFunc(r.flight, func(q request) bool {
		if !q.sent.Before(limit) {
			return false
		}
		dst = append(dst, q.Block)
		r.late++
		return true
	})
	return dst
}

// clear drops everything, as a choke does, and appends it to dst.
func (r *requests) clear(dst []messages.Block) []messages.Block {
	for _, q := range r.flight {
		dst = append(dst, q.Block)
	}
	dst = append(dst, r.waiting...)
	r.late += len(r.flight)
	r.flight, r.waiting = r.flight[:0], r.waiting[:0]
	return dst
}

// oldest is when the oldest request under way was sent.
func (r *requests) oldest() (time.Time, bool) {
	if len(r.flight) == 0 {
		return time.Time{}, false
	}
	return r.flight[0].sent, true
}
