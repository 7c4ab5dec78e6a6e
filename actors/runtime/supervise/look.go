package supervise

import (
	"time"

	"kouzui/actors/runtime/dispatch"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/work"
)

// Look is somebody who looks at what the actors of a tree do while they do it.
type Look struct {
	tree  *Tree
	meter *work.Meter
	used  time.Duration // processor time of the process, when it was taken last
}

// Look begins to measure messages for somebody who looks, until Close. There is
// one Look at a time: another one takes its place. Config.Measurable or
// Config.Sample must be set, or nothing is seen.
func (t *Tree) Look() *Look {
	l := &Look{tree: t, meter: work.NewMeter(dispatch.Processors())}
	l.used, _ = dispatch.TimeUsed()
	l.meter.Take(t.Clock.Now().Sub(t.begun), func(string, *event.Work) {})
	t.rounds.Add(1)
	t.looked.Store(l.meter)
	return l
}

// Take returns what was done since the last call, or since the Look began.
func (l *Look) Take() *work.Span {
	addProcessor(l.meter, &l.used)
	s := &work.Span{}
	l.meter.Take(l.tree.Clock.Now().Sub(l.tree.begun), s.Add)
	l.tree.rounds.Add(1)
	return s
}

// Close ends the Look.
func (l *Look) Close() { l.tree.looked.CompareAndSwap(l.meter, nil) }

// addProcessor adds the processor time that the process has used since the last
// call, if the system tells it.
func addProcessor(m *work.Meter, used *time.Duration) {
	if now, known := dispatch.TimeUsed(); known {
		m.Device(work.Processor).Add(work.Handled{Message: work.Processor, Took: now - *used, For: 1})
		*used = now
	}
}
