package sim

import "time"

// together is the thread of control that the mailboxes of several actors share:
// their messages are handled one at a time, in the order in which they were
// sent.
type together struct {
	sim     *Sim
	life    *life
	line    fifo[*mailbox] // one entry for each message
	held    bool           // an actor hangs, and so all do
	waiting bool           // it is in the list of those that can have the next turn, or has a core
	current *mailbox       // whose message is being handled
	ranked  rank
}

// add enters n messages of a mailbox into the line.
func (t *together) add(m *mailbox, n int) {
	for range n {
		t.line.push(m)
	}
	t.wake()
}

func (t *together) wake() {
	if t.waiting || t.held || t.line.len() == 0 {
		return
	}
	t.waiting = true
	if c := t.life.host.Cores; c != nil {
		c.enter(t)
	} else {
		t.sim.ready.add(t)
	}
}

// next is the mailbox whose turn it is. Of an actor that has failed, messages
// get their turns once it is restarted.
func (t *together) next() *mailbox {
	for !t.held && t.line.len() > 0 {
		if m := t.line.pop(); m.ready() {
			return m
		}
	}
	return nil
}

// take implements turn.
func (t *together) take() {
	t.waiting = false
	if t.life.over() {
		return
	}
	if m := t.next(); m != nil {
		t.life.host.steps++
		message, lane := m.next()
		m.handle(message, lane >= 0)
	}
	t.wake()
}

// begin implements thread.
func (t *together) begin() (time.Duration, bool) {
	if t.current = t.next(); t.current == nil {
		t.waiting = false
		return 0, false
	}
	return t.current.begin()
}

// end implements thread.
func (t *together) end() { t.current.end() }

// over implements thread.
func (t *together) over() bool { return t.life.over() }

func (t *together) runBy() *life { return t.life }

func (m *mailbox) runBy() *life {
	if m.blocking {
		return nil
	}
	return m.life
}
