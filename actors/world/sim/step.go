package sim

import "time"

// Step is a stretch of time on the way to something: from the step before it to
// At. Steps hang together backwards, so that those that have led to nothing are
// forgotten.
type Step struct {
	From *Step // nil: the first one
	At   time.Duration
	Host string
	What Sort
	By   string // the kind of actor that had the time pass; "": none
	path string // of that actor
}

// Sort is what the time of a step went by.
type Sort string

// The sorts of steps.
const (
	Begun    Sort = ""         // nothing: it is the first step
	Down     Sort = "down"     // the process was ended, and not started again yet
	Timer    Sort = "timer"    // an actor waited for a timer
	Slot     Sort = "slot"     // a peer that wanted something was not unchoked yet, or was choked
	Mailbox  Sort = "mailbox"  // a message waited
	Work     Sort = "work"     // a message was handled
	Disk     Sort = "disk"     // a transfer waited for the disk, or was made
	Queue    Sort = "queue"    // what was to be sent waited for the uplink
	Uplink   Sort = "uplink"   // it passed the uplink
	Way      Sort = "way"      // it was on its way between two hosts
	Downlink Sort = "downlink" // it waited for the downlink, or passed it
	Dial     Sort = "dial"     // a connection was made
	Tracked  Sort = "tracker"  // a tracker was asked
)

// FollowSteps makes everything that is sent carry the steps that have led to
// it. This changes nothing else in a run. Call it before the first host is
// added.
func (s *Sim) FollowSteps() { s.follows, s.stepwise = true, true }

// Path is the last of the steps that have led to what is being handled; nil:
// none is known.
func (s *Sim) Path() *Step { return s.origin.next.step }

// Begin says that what is sent from now on stems from a step of its own.
func (s *Sim) Begin(first *Step) {
	if s.stepwise {
		s.origin.next.step = first
	}
}

// pass is what things stem from, once time has passed at a host by what since
// the last step.
func (s *Sim) pass(c cause, what Sort, h *Host) cause {
	if c.step == nil || int64(c.step.At) == s.now {
		return c
	}
	c.step = &Step{From: c.step, At: time.Duration(s.now), Host: h.Name, What: what}
	return c
}

// passBy is pass for time that an actor had pass.
func (s *Sim) passBy(c cause, what Sort, h *Host, kind, path string) cause {
	after := s.pass(c, what, h)
	if after.step != c.step {
		after.step.By, after.step.path = kind, path
	}
	return after
}

// met notes that an actor of a kind is the first to handle what stems from the
// last step. A timer that an actor renews whenever it is due says nothing about
// what has led to it: then the step goes back to whatever else the actor had
// handled last, of which previous is the step.
func (st *Step) met(kind, path string, previous *Step) {
	if st.By != "" {
		return
	}
	st.By, st.path = kind, path
	if st.renews() && previous != nil {
		st.From = previous
	}
}

// renews tells whether the step is a timer that was set when an earlier one of
// the same actor was due.
func (st *Step) renews() bool {
	return st.What == Timer && st.From != nil && st.From.What == Timer && st.From.path == st.path
}
