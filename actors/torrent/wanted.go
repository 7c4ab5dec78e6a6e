package torrent

import "kouzui/messages"

func (s *state) setWanted(m *messages.SetWanted) {
	s.updates.wanted = m
	s.clipWanted()
	if s.complete && !s.haveWanted() {
		s.complete = false
		s.goals.incomplete(s.now)
	}
	s.tellWanted()
}

// clipWanted leaves out pieces that the torrent does not have: they would never
// come.
func (s *state) clipWanted() {
	if m := s.updates.wanted; m != nil && s.torrent != nil {
		s.updates.wanted = &messages.SetWanted{InfoHash: m.InfoHash, Pieces: messages.ClipPieces(m.Pieces, s.torrent.PieceCount())}
	}
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
