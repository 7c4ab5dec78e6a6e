package torrent

import (
	"time"

	"kouzui/messages"
)

// renewAfter is what passes between the end of one engine and the next, so that
// data which another program keeps on changing is not checked all the time.
const renewAfter = time.Second

// renewal is the change from one engine to another, when the data has turned out
// to be not what it was. It is no failure, and costs nothing of the budget.
type renewal struct {
	pending bool
	at      time.Time // when the next engine starts; zero: the last still stops
	doubts  int       // in a row, that were unfounded so far
	// pieces is what the last store knew, for the next one; nil: nothing.
	pieces *messages.PiecesKnown
	// What an engine is told beside its configuration.
	limits *messages.SetLimits
	memory *messages.SetMemory
}

// dataChanged ends the engine, and with it all connections: what peers have been
// told that we have cannot be taken back.
func (s *state) dataChanged(m *messages.DataChanged) {
	if s.ending || s.to.engine == nil || s.renewal.pending {
		return
	}
	s.renewal.pieces = &m.Stale
	s.renewal.doubts++
	s.renewal.pending, s.renewal.at = true, time.Time{}
	s.complete = false
	s.out.remarks = append(s.out.remarks, remark{"data_changed", m.Err.Error()})
	s.tellClient(&messages.TorrentDataChanged{InfoHash: s.hash, Err: m.Err})
	s.out.stopEngine = true
}

func (s *state) renew() {
	s.renewal.pending = false
	s.out.startEngine = true
}

// piecesKnown keeps what the store has found out. If a piece is wrong that was
// right, the doubts were founded.
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

// knownPieces is what the last store found out, for another.
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
