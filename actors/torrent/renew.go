package torrent

import (
	"time"

	"kouzui/messages"
)

// renewAfter is what passes between the end of one engine and the next, so that
// data which another program keeps on changing is not checked all the time.
const renewAfter = time.Second

// renewal is the change from one engine to another because the data was changed
// by another program. It is no failure, and does not count as a restart.
type renewal struct {
	pending bool
	at      time.Time // when the next engine starts; zero: the last still stops
	doubts  int       // renewals in a row after which no piece was found wrong
	// pieces is what the last store knew, for the next one; nil: nothing.
	pieces *messages.PiecesKnown
}

// dataChanged stops the engine, and with it all connections: a Have cannot be
// taken back (BEP 3), so peers have to hear anew which pieces we have.
func (s *state) dataChanged(m *messages.DataChanged) {
	if s.ending || s.to.engine == nil || s.renewal.pending {
		return
	}
	s.renewal.pieces = &m.Stale
	s.renewal.doubts++
	s.renewal.pending, s.renewal.at = true, time.Time{}
	s.complete = false
	s.out.remarks = append(s.out.remarks, remark{"data_changed", m.Err.Error()})
	s.tellSession(&messages.TorrentDataChanged{InfoHash: s.hash, Err: m.Err})
	s.out.stopEngine = true
}

func (s *state) renew() {
	s.renewal.pending = false
	s.out.startEngine = true
}

// piecesKnown keeps what the store has found out. A piece that was right and is
// wrong now shows that the data has really changed.
func (s *state) piecesKnown(m *messages.PiecesKnown) {
	if old := s.renewal.pieces; old != nil && old.Have.Intersection(m.Known).DifferenceCardinality(m.Have) > 0 {
		s.renewal.doubts = 0
	}
	s.renewal.pieces = m
}

func (s *state) pieceVerified(piece uint32) {
	if known := s.renewal.pieces; known != nil {
		known.Known.Set(uint(piece))
		known.Have.Set(uint(piece))
	}
}

// knownPieces is what the last store found out, for the next one.
func (s *state) knownPieces() *messages.PiecesKnown {
	known := s.renewal.pieces
	if known == nil {
		return &messages.PiecesKnown{}
	}
	return &messages.PiecesKnown{
		Known: known.Known.Clone(), Have: known.Have.Clone(),
		Stamps: known.Stamps, Doubts: s.renewal.doubts,
	}
}
