package sim

import (
	"time"

	"kouzui/actors/runtime/work"
)

// stream is one direction of a connection of a host with cores, where what is
// received and sent takes time too: a thread, through which the segments go one
// after the other.
type stream struct {
	link    *link
	message string         // work.Received or work.Sent
	on      func(*segment) // what happens to a segment afterwards

	meter   *work.Actor
	line    fifo[*segment]
	times   fifo[int64] // since when each of them waits
	current *segment    // which has a core; or nil
	handled work.Handled
	waiting bool // it is in the line for a core, or has one
}

// pass hands on a segment when its time has passed.
func (s *stream) pass(seg *segment) {
	c := s.link.host.Cores
	if c == nil || s.over() {
		s.on(seg)
		return
	}
	if s.meter == nil {
		s.meter = s.link.life.meter.Actor(work.Link)
	}
	s.line.push(seg)
	s.times.push(s.link.host.sim.now)
	if !s.waiting {
		s.waiting = true
		c.enter(s)
	}
}

// over implements thread.
func (s *stream) over() bool { return s.link.life.over() }

// begin implements thread.
func (s *stream) begin() (time.Duration, bool) {
	if s.line.len() == 0 {
		s.waiting = false
		return 0, false
	}
	s.current = s.line.pop()
	s.passed(s.current, Mailbox)
	took := s.link.host.Costs.Of(work.Link, s.message).Took(int(s.current.bytes))
	s.handled = work.Handled{
		From: work.World, Message: s.message, Bytes: uint64(s.current.bytes),
		Waited: time.Duration(s.link.host.sim.now - s.times.pop()), Took: took, For: 1,
	}
	return took, true
}

// end implements thread.
func (s *stream) end() {
	seg := s.current
	s.current = nil
	s.meter.Add(s.handled)
	s.passed(seg, Work)
	s.on(seg)
}

// passed notes that time has passed by what until the segment got here.
func (s *stream) passed(seg *segment, what Sort) {
	h := s.link.host
	seg.cause = h.sim.passBy(seg.cause, what, h, work.Link, "")
}

// drop releases what waits; what has a core is released when its time has
// passed, unless the process has ended.
func (s *stream) drop() {
	for _, seg := range s.line.waiting() {
		seg.release()
	}
	s.line, s.times = fifo[*segment]{}, fifo[int64]{}
	if s.current != nil && s.over() {
		s.current.release()
		s.current = nil
	}
}
