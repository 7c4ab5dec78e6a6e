package sim

import "slices"

// fifo is a queue that uses its room again.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

// waiting returns the items in the queue. The slice is valid until the queue is
// changed.
func (q *fifo[T]) waiting() []T { return q.items[q.head:] }

func (q *fifo[T]) push(items ...T) { q.items = append(q.items, items...) }

// unpop puts an item before all others.
func (q *fifo[T]) unpop(item T) {
	if q.head == 0 {
		q.items = slices.Insert(q.items, 0, item)
		return
	}
	q.head--
	q.items[q.head] = item
}

func (q *fifo[T]) pop() T {
	item := q.items[q.head]
	q.drop(1)
	return item
}

// many is from how many items on the queue moves them to the front, or gives up
// its room.
const many = 64

// drop removes the first n items.
func (q *fifo[T]) drop(n int) {
	clear(q.items[q.head : q.head+n])
	q.head += n
	switch {
	case q.head < len(q.items):
		if q.head >= many && q.head >= len(q.items)/2 {
			n := copy(q.items, q.items[q.head:])
			clear(q.items[n:])
			q.items, q.head = q.items[:n], 0
		}
	case cap(q.items) > many:
		*q = fifo[T]{}
	default:
		q.items, q.head = q.items[:0], 0
	}
}
