package scheduler

import "kouzui/messages"

// queue is the requests that a peer has not answered, oldest first. Blocks
// arrive mostly in the order of the requests, so a request that is looked for
// is found near the front.
type queue struct {
	refs []ref
	head int
}

func (q *queue) len() int     { return len(q.refs) - q.head }
func (q *queue) at(i int) ref { return q.refs[q.head+i] }

func (q *queue) push(r ref) {
	if len(q.refs) == cap(q.refs) && q.head > len(q.refs)/2 {
		n := copy(q.refs, q.refs[q.head:])
		clear(q.refs[n:])
		q.refs, q.head = q.refs[:n], 0
	}
	q.refs = append(q.refs, r)
}

// remove takes out r, which must be in the queue.
func (q *queue) remove(r ref) {
	for i := q.head; i < len(q.refs); i++ {
		if q.refs[i] == r {
			q.drop(i)
			return
		}
	}
}

// removeBlock takes out the oldest request for b.
func (q *queue) removeBlock(b messages.Block) (ref, bool) {
	i := b.Begin / BlockSize
	for k := q.head; k < len(q.refs); k++ {
		if r := q.refs[k]; r.a.piece == b.Piece && r.i == i {
			q.drop(k)
			return r, true
		}
	}
	return ref{}, false
}

func (q *queue) drop(i int) {
	copy(q.refs[q.head+1:i+1], q.refs[q.head:i])
	q.refs[q.head] = ref{}
	if q.head++; q.head == len(q.refs) {
		q.refs, q.head = q.refs[:0], 0
	}
}
