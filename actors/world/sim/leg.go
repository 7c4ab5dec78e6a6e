package sim

import "time"

// Leg is a stretch of time on the way to something: from the leg before it to
// At. Legs hang together backwards, so that those that have led to nothing are
// forgotten.
type Leg struct {
	From *Leg // nil: the first one
	At   time.Duration
	Host string
	What Sort
	By   string // the kind of actor that had the time pass; "": none
	path string // of that actor
}

// Sort is what the time of a leg went by.
type Sort string

// The sorts of legs.
const (
	Begun    Sort = ""         // nothing: it is the first leg
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
	Resolved Sort = "name"     // a name was looked up
)

// FollowLegs makes everything that is sent carry the legs that have led to
// it. This changes nothing else in a run. Call it before the first host is
// added.
func (s *Sim) FollowLegs() { s.follows, s.onLegs = true, true }

// Path is the last of the legs that have led to what is being handled; nil:
// none is known.
func (s *Sim) Path() *Leg { return s.origin.next.leg }

// Begin says that what is sent from now on stems from a leg of its own.
func (s *Sim) Begin(first *Leg) {
	if s.onLegs {
		s.origin.next.leg = first
	}
}

// pass is what things stem from, once time has passed at a host by what since
// the last leg.
func (s *Sim) pass(c cause, what Sort, h *Host) cause {
	if c.leg == nil || int64(c.leg.At) == s.now {
		return c
	}
	c.leg = &Leg{From: c.leg, At: time.Duration(s.now), Host: h.Name, What: what}
	return c
}

// passBy is pass for time that an actor had pass.
func (s *Sim) passBy(c cause, what Sort, h *Host, kind, path string) cause {
	after := s.pass(c, what, h)
	if after.leg != c.leg {
		after.leg.By, after.leg.path = kind, path
	}
	return after
}

// met notes that an actor of a kind is the first to handle what stems from the
// last leg. A timer that an actor renews whenever it is due says nothing about
// what has led to it: then the leg goes back to whatever else the actor had
// handled last, of which previous is the leg.
func (l *Leg) met(kind, path string, previous *Leg) {
	if l.By != "" {
		return
	}
	l.By, l.path = kind, path
	if l.renews() && previous != nil {
		l.From = previous
	}
}

// renews tells whether the leg is a timer that was set when an earlier one of
// the same actor was due.
func (l *Leg) renews() bool {
	return l.What == Timer && l.From != nil && l.From.What == Timer && l.From.path == l.path
}
