package main

import (
	"sync"

	"kouzui/actors/runtime/event"
	"kouzui/cmd/kouzui/internal/report"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// inbox takes what the engine tells, from any goroutine and without ever
// blocking one, for the goroutine that shows it. Of each torrent it keeps only
// the newest Progress.
type inbox struct {
	ready chan struct{} // has an element when there is something to take

	mu       sync.Mutex
	events   []any
	progress map[metainfo.Hash]int // where in events
}

func newInbox() *inbox {
	return &inbox{ready: make(chan struct{}, 1), progress: map[metainfo.Hash]int{}}
}

// put is for actors.Options.Notify.
func (b *inbox) put(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := event.(*messages.Progress); ok {
		if i, ok := b.progress[p.InfoHash]; ok {
			b.events[i] = p
			return
		}
		b.progress[p.InfoHash] = len(b.events)
	}
	b.events = append(b.events, event)
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// Record implements event.Sink for the few events that are shown.
func (b *inbox) Record(e *event.Event) {
	switch e.Kind {
	case event.Failed, event.Restarted:
		b.put(e)
	case event.Started, event.Stopped:
		if report.IsPeer(e.ActorKind) {
			b.put(e)
		}
	}
}

// take empties the inbox.
func (b *inbox) take() []any {
	b.mu.Lock()
	defer b.mu.Unlock()
	events := b.events
	b.events = nil
	clear(b.progress)
	return events
}
