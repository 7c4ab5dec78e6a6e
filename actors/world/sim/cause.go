package sim

// cause is what something stems from: what an actor does while it handles a
// message stems from that of which the message is a consequence, across
// mailboxes, timers, disks and connections.
type cause struct {
	event uint64 // of the trace; 0: none is known
	leg   *Leg   // nil: legs are not followed, or none is known
}

// origin is what the present stems from.
type origin struct {
	of   uint64 // the event that what is being handled stems from; 0: none is known
	next cause  // of what is sent from now on
}

// FollowCauses makes everything that is sent carry the number of the event that
// it stems from. This changes nothing else in a run. Call it before the first
// host is added.
func (s *Sim) FollowCauses() { s.follows = true }

// Origin is the number of the event that what is being handled stems from; 0:
// none is known.
func (s *Sim) Origin() uint64 { return s.origin.of }

// Stem says that what is sent from now on, while the present message is being
// handled, stems from event seq; if all is true, that what is recorded does so
// too.
func (s *Sim) Stem(seq uint64, all bool) {
	if !s.follows {
		return
	}
	s.origin.next.event = seq
	if all {
		s.origin.of = seq
	}
}

// stem enters what stems from c, and returns what to go back to.
func (s *Sim) stem(c cause) (before origin) {
	before = s.origin
	s.origin = origin{c.event, c}
	return before
}

// carried is f with what it stems from; the time until it is called passes by
// what, at a host.
func (s *Sim) carried(what Sort, l *life, f func()) func() {
	c := s.origin.next
	return func() {
		if l != nil {
			c = s.pass(c, what, l.host)
		}
		s.stem(c)
		f()
	}
}

// causes are what the items of a queue stem from. It is empty unless causes are
// followed.
type causes struct{ fifo[cause] }

// pushed notes that n items were queued.
func (c *causes) pushed(s *Sim, n int, of cause) {
	if s.follows {
		for range n {
			c.push(of)
		}
	}
}

// taken notes that the first n items were taken, and returns the latest event
// that they stem from, with the leg of one of them.
func (c *causes) taken(s *Sim, n, one int) (of cause) {
	if !s.follows {
		return cause{}
	}
	all := c.waiting()[:n]
	for _, each := range all {
		of.event = max(of.event, each.event)
	}
	of.leg = all[one].leg
	c.drop(n)
	return of
}
