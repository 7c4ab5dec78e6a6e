package sim

// origin is from which events of the trace something stems: what an actor does
// while it handles a message stems from the event of which that message is a
// consequence, across mailboxes, timers, disks and connections.
type origin struct {
	of   uint64 // of what is being handled; 0: none is known
	next uint64 // of what is sent from now on
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
	s.origin.next = seq
	if all {
		s.origin.of = seq
	}
}

// stem enters what stems from event seq, and returns what to go back to.
func (s *Sim) stem(seq uint64) (before origin) {
	before = s.origin
	s.origin = origin{seq, seq}
	return before
}

// carried is f with the event that it stems from.
func (s *Sim) carried(f func()) func() {
	seq := s.origin.next
	return func() {
		s.stem(seq)
		f()
	}
}

// causes are the numbers of the events that the items of a queue stem from. It
// is empty unless causes are followed.
type causes struct{ fifo[uint64] }

// pushed notes that n items were queued.
func (c *causes) pushed(s *Sim, n int, seq uint64) {
	if s.follows {
		for range n {
			c.push(seq)
		}
	}
}

// taken notes that the first n items were taken, and returns the latest event
// that they stem from.
func (c *causes) taken(s *Sim, n int) (latest uint64) {
	if !s.follows {
		return 0
	}
	for _, seq := range c.waiting()[:n] {
		latest = max(latest, seq)
	}
	c.drop(n)
	return latest
}
