package supervise

import (
	"time"

	"kouzui/actors/runtime/event"
)

// workSpan is how often the sums of a Meter are recorded: often enough to see
// when a run changes, and rarely enough to be some hundred bytes a second. In
// the first earlySpans spans it is earlySpan, for the sake of short runs.
const (
	workSpan   = 10 * time.Second
	earlySpan  = time.Second
	earlySpans = 10
)

// recording starts the timer of the next record of work, which starts the next
// one, until stopRecording. t.mu is held.
func (t *Tree) recording() {
	span := workSpan
	if t.spans < earlySpans {
		span = earlySpan
	}
	t.spans++
	t.workday = t.Clock.AfterFunc(span, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.workday == nil {
			return
		}
		t.recordWork()
		t.recording()
	})
}

func (t *Tree) stopRecording() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.workday != nil {
		t.workday.Stop()
		t.workday = nil
	}
}

// RecordWork records what the actors have done since it was recorded last. It
// does nothing in a tree without a Meter.
func (t *Tree) RecordWork() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recordWork()
}

func (t *Tree) recordWork() {
	if t.Meter == nil {
		return
	}
	if t.measures {
		addProcessor(t.Meter, &t.used)
	}
	now := t.Clock.Now() // one for all kinds, by which readers know what was at one time
	t.Meter.Take(now.Sub(t.begun), func(kind string, w *event.Work) {
		t.recordAt(now, &event.Event{Kind: event.Worked, Actor: t.root, ActorKind: kind, Work: w})
	})
	t.rounds.Add(1)
}
