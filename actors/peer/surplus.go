package peer

import (
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
)

const (
	maxUnasked = 16 // blocks never asked for that a peer may send
	// serveOnPause is how long a peer that serves on after a choke may pause until
	// what it was asked for is taken back. Each time the peer serves later than
	// that, it may pause for twice as long the next time, up to snubAfter: a slow
	// one would bring nothing but what is not wanted any more.
	serveOnPause = 2 * time.Second
)

// surplus is what is known of a peer that sends more than is in flight. Such a
// peer may be careless and not hostile, and may be the only source of what we
// lack. A peer that is both useful and wasteful is kept, within bounds.
type surplus struct {
	unasked int            // blocks never asked for
	asked   *bitset.BitSet // pieces of which blocks were asked for; nil: none lately
	only    bool           // the peer is the only source of what it was last asked for
	// ignoresChoke: the peer has served after it had choked us, which no peer does
	// that takes a choke for the end of all requests (BEP 3).
	ignoresChoke bool
	pause        time.Duration // serveOnPause, or more
	hurried      bool          // what it was asked for was taken back, and it has served none of that yet
}

func (s *surplus) askedFor(piece uint32, pieces int) {
	if s.asked == nil {
		s.asked = bitset.New(uint(pieces))
	}
	s.asked.Set(uint(piece))
}

// useful records a block that we lacked.
func (s *session) useful() {
	pays := float64(paidByBlock)
	if s.surplus.only {
		pays *= toleranceOnly
	}
	s.flood.pay(pays)
}

// setOnlySource records whether nobody else has what this peer is asked for.
func (s *session) setOnlySource(only bool) {
	s.surplus.only, s.flood.most = only, maxFlood
	if only {
		s.flood.most *= toleranceOnly
	}
}

// notInFlight takes a block that is not in flight, and is dropped. Answers to
// requests that we have dropped cost the peer nothing. A block of a piece that
// we did ask for is taken for one that comes again, and is charged to the
// account by its bytes. A peer that keeps sending blocks that we never asked
// for is disconnected.
func (s *session) notInFlight(b messages.Block, now time.Time) error {
	r := &s.surplus
	r.ignoresChoke = r.ignoresChoke || !s.fast && s.flags.PeerChoking && s.requests.late > 0
	switch {
	case s.requests.excuses(b):
		if r.hurried {
			r.hurried, r.pause = false, min(2*r.pause, snubAfter)
		}
		return nil
	case r.asked != nil && s.isBlock(b) && r.asked.Test(uint(b.Piece)):
		return s.flood.charge(costUseless+int(b.Length/repeatUnit), now)
	}
	most := maxUnasked
	if r.only {
		most *= toleranceOnly
	}
	if r.unasked++; r.unasked > most {
		return broken("sends blocks that were not asked for")
	}
	return nil
}

// isBlock tells whether the torrent has a block of just these coordinates, as
// we ask for them.
func (s *session) isBlock(b messages.Block) bool {
	if int64(b.Piece) >= int64(s.torrent.PieceCount()) || b.Begin%blockSize != 0 {
		return false
	}
	rest := s.torrent.PieceSize(int(b.Piece)) - int64(b.Begin)
	return rest > 0 && int64(b.Length) == min(rest, blockSize)
}

// pauseTooLong ends the wait for a peer that does not seem to serve on.
func (s *session) pauseTooLong(now time.Time) {
	if s.servesOn && now.Sub(s.fed) > s.surplus.pause {
		s.surplus.hurried = true
		s.endServingOn()
	}
}

// endServingOn has the scheduler take back what a peer that has choked us does
// not serve any more.
func (s *session) endServingOn() {
	s.servesOn = false
	s.requests.clear(nil)
	s.out.choking, s.out.voided = true, true
}
