package sim

import (
	"slices"

	"kouzui/messages"
	"kouzui/wire/frame"
)

// batchesAhead is how many batches a link delivers ahead of Done, and maxBatch
// how many frames a batch has at most.
const (
	batchesAhead = 4
	maxBatch     = 512
)

// take handles a segment that has arrived.
func (l *link) take(seg *segment) {
	s := l.host.sim
	before := s.stem(seg.cause)
	defer func() { s.origin = before }()
	switch {
	case l.life.over():
		seg.release()
		if l.host.Alive() { // another process runs there now, which does not know the connection
			l.reset()
		}
		return
	case l.closed != nil:
		seg.release()
		return
	}
	if seg.begun != nil {
		l.begin(*seg.begun)
	}
	if seg.greeting != nil {
		l.hail(*seg.greeting)
	}
	if seg.raw != nil {
		l.overhear(seg.raw)
	}
	l.arrived.push(seg.frames...)
	l.brought.pushed(s, len(seg.frames), seg.cause)
	l.other.flying -= seg.bytes
	for i := range seg.frames {
		l.other.flying += seg.frames[i].size // until they are delivered
	}
	if seg.fin != nil {
		l.fin, l.ended = seg.fin, seg.cause
	}
	seg.retire()
	l.hand()
	l.other.queueUp()
}

// hand delivers frames that have arrived, as far as earlier batches have been
// given back, and then the end of the stream.
func (l *link) hand() {
	s := l.host.sim
	before := s.origin
	defer func() { s.origin = before }()
	if l.deliver == nil && l.fin != nil && l.theirs == nil {
		l.end(l.fin)
		return
	}
	for l.deliver != nil && l.closed == nil && l.ahead < batchesAhead && l.arrived.len() > 0 {
		n := min(l.arrived.len(), maxBatch)
		m := l.batch()
		for _, a := range l.arrived.waiting()[:n] {
			m.Frames = append(m.Frames, a.Frame)
			m.Bytes += int(a.size)
		}
		l.arrived.drop(n)
		of := s.pass(l.brought.taken(s, n, n-1), Mailbox, l.host)
		if s.onLegs && slices.ContainsFunc(m.Frames, wants) {
			l.asked = of
		}
		s.stem(of)
		l.other.flying -= int64(m.Bytes)
		l.ahead++
		l.say(m)
	}
	if l.deliver != nil && l.closed == nil && l.arrived.len() == 0 && l.fin != nil {
		s.stem(l.ended)
		l.end(l.fin)
	}
}

// wants tells whether a frame says that the other end wants something.
func wants(f frame.Frame) bool { return f.Kind == frame.Interested || f.Kind == frame.Request }

func (l *link) batch() *messages.FramesReceived {
	s := l.host.sim
	m := &messages.FramesReceived{}
	if last := len(s.spare.batches) - 1; last >= 0 {
		m, s.spare.batches = s.spare.batches[last], s.spare.batches[:last]
	}
	m.Link, m.At = l.id, s.Now()
	return m
}

// Done implements messages.Link.
func (l *link) Done(m *messages.FramesReceived) {
	clear(m.Frames)
	*m = messages.FramesReceived{Frames: m.Frames[:0]}
	l.host.sim.spare.batches = append(l.host.sim.spare.batches, m)
	l.ahead--
	l.hand()
	l.other.queueUp()
}
