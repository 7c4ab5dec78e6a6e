package peer

import (
	"slices"
	"time"

	"kouzui/wire/extended"
)

// takeDontHave takes the message that the other side has lost a piece (BEP 54).
// What was asked of that piece stays asked: with the fast extension (BEP 6) it
// is answered, and without it is dropped when it is late.
func (s *session) takeDontHave(payload []byte, now time.Time) error {
	piece, err := extended.ParseDontHave(payload)
	switch {
	case err != nil || s.torrent == nil:
		return s.flood.charge(costUseless+len(payload)/repeatUnit, now)
	case int64(piece) >= int64(s.torrent.PieceCount()):
		return broken("lost piece %d of %d", piece, s.torrent.PieceCount())
	case !s.theirs.Test(uint(piece)):
		return s.flood.charge(costUseless, now)
	}
	s.theirs.Clear(uint(piece))
	s.pieces--
	if s.flags.Seed {
		s.flags.Seed, s.out.flags = false, true
		s.introducedAgain()
	}
	// The scheduler hears of lost before haves and bitfield.
	out := &s.out
	out.lost = append(out.lost, piece)
	out.haves = slices.DeleteFunc(out.haves, func(had uint32) bool { return had == piece })
	if out.bitfield != nil {
		out.bitfield.Clear(uint(piece))
	}
	return s.flood.charge(costChange, now)
}
