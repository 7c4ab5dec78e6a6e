package torrent

import (
	"fmt"

	"kouzui/messages"
	"kouzui/wire/choice"
	"kouzui/wire/metainfo"
)

// setWanted ignores a choice that does not fit the torrent: whoever makes one
// of known files sees that before.
func (s *state) setWanted(m *messages.SetWanted) {
	if s.torrent != nil && s.fits(m.Choice, s.torrent) != nil {
		return
	}
	s.updates.wanted = m
	s.fitWanted()
	if s.complete && !s.haveWanted() {
		s.complete = false
		s.goals.incomplete(s.now)
	}
	s.tellWanted()
}

// fitWanted finds the pieces of the files that were chosen, or leaves out
// pieces that the torrent does not have: they would never come.
func (s *state) fitWanted() {
	m := s.updates.wanted
	if m == nil || s.torrent == nil {
		return
	}
	new := &messages.SetWanted{InfoHash: m.InfoHash, Choice: m.Choice}
	if m.Choice == nil {
		new.Pieces, s.priorities = messages.ClipPieces(m.Pieces, s.torrent.PieceCount()), nil
	} else {
		s.priorities, _ = m.Choice.Resolve(s.torrent) // see fits
		w := choice.Of(s.torrent, s.priorities)
		new.Pieces, new.Files, new.High, new.Low = w.Pieces, w.Files, w.High, w.Low
	}
	s.updates.wanted = new
}

// fits is nil if a choice of files, nil: none, can be applied to a torrent.
func (s *state) fits(c *choice.Choice, t *metainfo.Torrent) error {
	if _, err := c.Resolve(t); err != nil {
		return fmt.Errorf("the choice of files does not fit the torrent: %w", err)
	}
	return nil
}

// storeStarted answers QueryKnownPieces. The store hears first what is wanted:
// when it knows what is there, it looks whether the disk has room for the rest.
func (s *state) storeStarted(m *messages.QueryKnownPieces) {
	if s.updates.wanted != nil {
		s.out.Send(m.ReplyTo, s.updates.wanted)
	}
	s.out.Send(m.ReplyTo, s.knownPieces())
	s.tellWanted()
}

// tellWanted tells store and scheduler which pieces are wanted, if that is not
// what their configuration says.
func (s *state) tellWanted() {
	if s.updates.wanted != nil {
		s.tellStoreAndScheduler(s.updates.wanted)
	}
}

// haveWanted tells whether all wanted pieces are verified. The scheduler's
// Progress alone does not say that: it may have been sent before SetWanted
// reached the scheduler.
func (s *state) haveWanted() bool {
	switch wanted, known := s.updates.wanted, s.renewal.pieces; {
	case wanted == nil:
		return true // the scheduler has always had the same set
	case known == nil || s.torrent == nil:
		return false
	case wanted.Pieces == nil:
		return int(known.Have.Count()) == s.torrent.PieceCount()
	default:
		return known.Have.IsSuperSet(wanted.Pieces)
	}
}
