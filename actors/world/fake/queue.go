package fake

import "sync"

// queue holds calls of actors until the test asks for them.
type queue[T any] struct {
	mu    sync.Mutex
	added chan struct{} // closed and replaced at each put
	items []T
}

func (q *queue[T]) put(item T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, item)
	if q.added != nil {
		close(q.added)
		q.added = nil
	}
}

// next returns the oldest item, and waits for one if there is none.
func (q *queue[T]) next() T {
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			item := q.items[0]
			q.items = q.items[1:]
			q.mu.Unlock()
			return item
		}
		if q.added == nil {
			q.added = make(chan struct{})
		}
		added := q.added
		q.mu.Unlock()
		<-added
	}
}

func (q *queue[T]) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// once makes sure that something happens at most once, and not at all after it
// was cancelled.
type once struct {
	mu   sync.Mutex
	done bool
}

// take returns true the first time.
func (o *once) take() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := !o.done
	o.done = true
	return first
}
