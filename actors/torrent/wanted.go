package torrent

import (
	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
)

// wanted is the pieces that the user wants.
type wanted struct {
	pieces *bitset.BitSet // nil: all
	// changed is the last SetWanted; nil: there was none. Store and scheduler are
	// told again when they are restarted, as their configuration is older.
	changed *messages.SetWanted
}

func (s *state) setWanted(m *messages.SetWanted) {
	s.wanted = wanted{m.Pieces, m}
	if s.complete && !s.haveWanted() {
		s.complete = false
		s.goals.incomplete(s.now)
	}
	s.tellWanted()
}

// tellWanted tells store and scheduler which pieces are wanted, if that is not what
// their configuration says.
func (s *state) tellWanted() {
	if s.wanted.changed != nil {
		s.tellScheduler(s.wanted.changed)
	}
}

// haveWanted tells whether all wanted pieces are verified. The scheduler's Progress
// alone does not say that: it may have been sent before a change reached the
// scheduler.
func (s *state) haveWanted() bool {
	switch known := s.renewal.pieces; {
	case s.wanted.changed == nil:
		return true // the scheduler has always had this set
	case known == nil || s.torrent == nil:
		return false
	case s.wanted.pieces == nil:
		return int(known.Have.Count()) == s.torrent.PieceCount()
	default:
		return known.Have.IsSuperSet(s.wanted.pieces)
	}
}
