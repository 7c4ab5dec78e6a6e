package progress

import (
	"kouzui"
	"sync"

	"kouzui/actors/runtime/event"
	"kouzui/cmd/kouzui/internal/report"
)

// Inbox takes events of a client from any goroutine, without ever blocking one,
// for the goroutine that shows them. Of each torrent it keeps only the newest
// Progress.
type Inbox struct {
	Ready chan struct{} // has an element when there is something to take

	mu       sync.Mutex
	events   []any
	progress map[kouzui.Hash]int // where in events
}

// NewInbox is empty.
func NewInbox() *Inbox {
	return &Inbox{Ready: make(chan struct{}, 1), progress: map[kouzui.Hash]int{}}
}

// Put adds an event.
func (b *Inbox) Put(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := event.(kouzui.Progress); ok {
		if i, ok := b.progress[p.Status.InfoHash]; ok {
			b.events[i] = p
			return
		}
		b.progress[p.Status.InfoHash] = len(b.events)
	}
	b.events = append(b.events, event)
	select {
	case b.Ready <- struct{}{}:
	default:
	}
}

// Record implements event.Sink for the few events that are shown.
func (b *Inbox) Record(e *event.Event) {
	switch e.Kind {
	case event.Failed, event.Restarted:
		b.Put(e)
	case event.Started, event.Stopped:
		if report.IsPeer(e.ActorKind) {
			b.Put(e)
		}
	}
}

// Take empties the inbox.
func (b *Inbox) Take() []any {
	b.mu.Lock()
	defer b.mu.Unlock()
	events := b.events
	b.events = nil
	clear(b.progress)
	return events
}
