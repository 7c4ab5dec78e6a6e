package actors

import (
	"strings"
	"sync"

	"kouzui/actors/runtime/event"
)

// restarts is a sink that counts restarts by path.
type restarts struct {
	mu     sync.Mutex
	counts map[string]int
}

// Record implements event.Sink.
func (r *restarts) Record(e *event.Event) {
	if e.Kind != event.Restarted {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// Peers come and go under names of their own: they count for what they
	// stand in.
	path := e.Actor
	if i := strings.Index(path, "/peers/"); i >= 0 {
		path = path[:i]
	}
	r.counts[path]++
}

// under counts the restarts at path and below.
func (r *restarts) under(path string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p, count := range r.counts {
		if p == path || strings.HasPrefix(p, path+"/") {
			n += count
		}
	}
	return n
}

// ended is a sink that tells when the root of the tree has stopped.
type ended struct {
	root string // its path
	once sync.Once
	done chan struct{}
}

// Record implements event.Sink.
func (r *ended) Record(e *event.Event) {
	if e.Kind == event.Stopped && e.Actor == r.root {
		r.once.Do(func() { close(r.done) })
	}
}
