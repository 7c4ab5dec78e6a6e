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
// waiting to be asked for, then in flight. Answers mostly come in the order of
// asking, so the search for one starts at the oldest.
type requests struct {
	waiting []messages.Block
	flight  []request
	room    []request // that flight is a part of: its head moves on with each answer
	// late is how many answers may still come to requests that were dropped.
	late int
	// dropped are the last of those requests if the other side answers each one
	// (BEP 6), as a reject does not tell which of two requests for a block it
	// answers. They are bounded, as some clients answer no cancel.
	dropped []messages.Block
	exact   bool // dropped is kept
}

// maxDropped is how many dropped requests are known by their blocks: as many as
// a peer may usually have queued.
const maxDropped = usualMost

// giveUp records that a request in flight is dropped. It may be answered yet.
func (r *requests) giveUp(b messages.Block) {
	r.late++
	if !r.exact {
		return
	}
	if len(r.dropped) >= maxDropped {
		r.dropped = slices.Delete(r.dropped, 0, 1)
	}
	r.dropped = append(r.dropped, b)
}

// forget says whether an answer may be that to a request for this block that
// was given up, and no longer waits for one.
func (r *requests) forget(b messages.Block) bool {
	i := slices.Index(r.dropped, b)
	if i < 0 {
		return false
	}
	r.dropped = slices.Delete(r.dropped, i, i+1)
	r.late--
	return true
}

// excuses says whether an answer that is not to a request in flight may be one
// to a request that was given up, and no longer waits for one. Where those are
// known by their blocks, only an answer to one that is too old to be known may
// be about any block.
func (r *requests) excuses(b messages.Block) bool {
	if r.forget(b) {
		return true
	}
	if r.late <= len(r.dropped) {
		return false
	}
	r.late--
	return true
}

func (r *requests) outstanding() int { return len(r.waiting) + len(r.flight) }

// ask moves blocks of up to bytes from waiting to flight, and appends them to
// dst.
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

// makeRoom makes room for n more in flight. It seldom allocates: when the head
// of flight has moved to the end of room, flight is copied to its beginning.
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

// answer removes a block that has come from those in flight, and returns when
// it was asked for. It is not ok if the block was not asked for, or was
// dropped.
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

// cancel drops blocks, and appends to dst those of them that were in flight.
func (r *requests) cancel(dst, blocks []messages.Block) []messages.Block {
	for _, b := range blocks {
		if i := slices.Index(r.waiting, b); i >= 0 {
			r.waiting = slices.Delete(r.waiting, i, i+1)
		} else if _, asked := r.answer(b); asked {
			r.giveUp(b)
			dst = append(dst, b)
		}
	}
	return dst
}

// overdue drops the blocks asked for before limit, and appends them to dst.
func (r *requests) overdue(dst []messages.Block, limit time.Time) []messages.Block {
	return r.drop(dst, func(q request) bool { return q.sent.Before(limit) })
}

// drop drops requests in flight, and appends their blocks to dst.
func (r *requests) drop(dst []messages.Block, which func(request) bool) []messages.Block {
	r.flight = slices.DeleteFunc(r.flight, func(q request) bool {
		if !which(q) {
			return false
		}
		dst = append(dst, q.Block)
		r.giveUp(q.Block)
		return true
	})
	return dst
}

// clear drops all blocks, and appends them to dst.
func (r *requests) clear(dst []messages.Block) []messages.Block {
	for _, q := range r.flight {
		dst = append(dst, q.Block)
		r.giveUp(q.Block)
	}
	dst = append(dst, r.waiting...)
	r.flight, r.waiting = r.flight[:0], r.waiting[:0]
	return dst
}

// oldest is when the oldest request in flight was sent.
func (r *requests) oldest() (time.Time, bool) {
	if len(r.flight) == 0 {
		return time.Time{}, false
	}
	return r.flight[0].sent, true
}
