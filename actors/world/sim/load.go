package sim

import (
	"time"

	"kouzui/actors/runtime/work"
)

// load is what a mailbox needs on a host with cores: when its messages were
// sent and by whom, and what is being handled.
type load struct {
	meter *work.Actor
	posts [2]fifo[post] // of the messages of users that wait, by lane

	message any // that is being handled
	lane    int // of it; -1: it is the system's
	post    post
	handled work.Handled
}

// post is the sending of a message.
type post struct {
	at   int64
	from string
}

func (m *mailbox) measure() {
	if m.life.meter != nil {
		m.load.meter = m.life.meter.Actor(m.kind)
	}
}

func (m *mailbox) sent(lane int) {
	if m.life.meter != nil {
		m.load.posts[lane].push(post{m.sim.now, m.sim.running})
	}
}

// unsent puts the message under way back to where it was.
func (m *mailbox) unsent() {
	if m.life.meter != nil {
		m.load.posts[0].unpop(m.load.post)
	}
}

// over implements thread.
func (m *mailbox) over() bool { return m.life.over() }

// begin implements thread.
func (m *mailbox) begin() (time.Duration, bool) {
	if !m.ready() {
		m.waiting = false
		return 0, false
	}
	l := &m.load
	l.message, l.lane = m.next()
	l.post = post{m.sim.now, work.World} // of a message of the actor system
	if l.lane >= 0 {
		l.post = l.posts[l.lane].pop()
	}
	message := bare(l.message)
	name := work.NameOf(message)
	bytes := work.PayloadOf(message)
	took := m.life.host.Costs.Of(m.kind, name).Took(bytes)
	l.handled = work.Handled{
		From: l.post.from, Message: name, Bytes: uint64(bytes),
		Waited: time.Duration(m.sim.now - l.post.at), Took: took, For: 1,
	}
	return took, true
}

// end implements thread.
func (m *mailbox) end() {
	m.sim.steps++
	m.life.host.steps++
	l := &m.load
	message := l.message
	l.message = nil
	l.meter.Add(l.handled)
	m.passed(Work)
	m.sim.as(m.kind, func() { m.handle(message, l.lane >= 0) })
}

// as runs f, whose messages come from this sender.
func (s *Sim) as(sender string, f func()) {
	before := s.running
	s.running = sender
	defer func() { s.running = before }()
	f()
}
