package torrent

import (
	"testing"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// has is the first n of ten pieces.
func has(n uint) *bitset.BitSet {
	b := bitset.New(10)
	b.FlipRange(0, n)
	return b
}

// partly is Progress of a torrent that has n of ten pieces and wants no more.
func (s *scene) partly(n int64) {
	s.Tell(&messages.Progress{
		At: s.World.Clock.Now(), State: messages.StateSeeding, Pieces: 10, HavePieces: int(n),
		Length: 1000, Have: 100 * n, Downloaded: 100 * n,
	})
	stage.Next[*messages.Progress](s.session)
}

// Half of the pieces are wanted and there, and then all: the torrent is
// complete twice, but to its trackers a seed only in the end.
func TestHalfIsWantedAndThenAll(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{Wanted: has(5), Seed: true})
	s.Tell(&messages.PiecesKnown{Known: has(10), Have: has(5)})
	s.partly(5)
	stage.Next[*messages.TorrentCompleted](s.session)
	stage.Await[*messages.StartAnnouncing](s.trackers[0])
	if m := stage.Next[*messages.SetTotals](s.trackers[0]); m.Left != 500 || m.Completed || !m.PartialSeed || m.WantPeers {
		t.Errorf("trackers are told %+v", m)
	}

	s.Tell(&messages.SetWanted{})
	if m := stage.Next[*messages.SetWanted](s.engine); m.Pieces != nil {
		t.Errorf("the engine is told %+v", m)
	}
	s.partly(5) // as the scheduler said before it was told
	s.Quiet(s.session)
	if m := stage.Next[*messages.SetTotals](s.trackers[0]); m.PartialSeed || m.Completed {
		t.Errorf("trackers are told %+v", m)
	}
	for piece := uint32(5); piece < 10; piece++ {
		s.Tell(&messages.PieceVerified{Piece: piece})
	}
	s.partly(10)
	stage.Next[*messages.TorrentCompleted](s.session)
	if m := stage.Next[*messages.SetTotals](s.trackers[0]); m.Left != 0 || !m.Completed || m.PartialSeed {
		t.Errorf("trackers are told %+v", m)
	}
	s.Quiet(s.session)
}

// A torrent that is to end when it is complete does not end for what the
// scheduler said of fewer wanted pieces.
func TestItDoesNotEndForAnOlderWish(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{Wanted: has(5)})
	s.Tell(&messages.PiecesKnown{Known: has(10), Have: has(5)})
	s.Tell(&messages.SetWanted{Pieces: has(6)})
	stage.Next[*messages.SetWanted](s.engine)
	s.partly(5)
	s.Quiet(s.session, s.engine)
	s.Tell(&messages.PieceVerified{Piece: 5})
	s.partly(6)
	stage.Next[*messages.TorrentCompleted](s.session)
	stage.Next[*messages.Flush](s.engine)
}

// A store that is restarted makes the torrent tell the engine once more, as the
// configuration of the engine's members is older.
func TestAnEngineThatIsRestartedIsToldWhatIsWanted(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{Wanted: has(5)})
	s.Tell(&messages.QueryKnownPieces{ReplyTo: s.session.PID})
	stage.Next[*messages.PiecesKnown](s.session)
	s.Quiet(s.engine)
	s.Tell(&messages.SetWanted{Pieces: has(6)})
	stage.Next[*messages.SetWanted](s.engine)
	s.Tell(&messages.QueryKnownPieces{ReplyTo: s.session.PID})
	stage.Next[*messages.SetWanted](s.session) // by it the store plans what follows from PiecesKnown
	stage.Next[*messages.PiecesKnown](s.session)
	if m := stage.Next[*messages.SetWanted](s.engine); m.Pieces.Count() != 6 {
		t.Errorf("the engine is told %+v", m)
	}
}

// Fewer wanted pieces than before do not complete a torrent a second time.
func TestAWishForLessChangesNothing(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{Wanted: has(5), Seed: true})
	s.Tell(&messages.PiecesKnown{Known: has(10), Have: has(5)})
	s.partly(5)
	stage.Next[*messages.TorrentCompleted](s.session)
	s.Tell(&messages.SetWanted{Pieces: has(4)})
	s.partly(5)
	s.Quiet(s.session)
}

// Pieces that the torrent does not have can be wanted, and do not keep it from
// being complete.
func TestPiecesBeyondTheLastAreNotWaitedFor(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{Seed: true})
	s.Tell(&messages.SetWanted{Pieces: bitset.New(0).Set(0).Set(10).Set(1000)})
	if m := stage.Next[*messages.SetWanted](s.engine); m.Pieces.Count() != 1 || !m.Pieces.Test(0) {
		t.Errorf("the engine is told %v", m.Pieces)
	}
	s.Tell(&messages.PiecesKnown{Known: has(10), Have: has(1)})
	s.partly(1)
	stage.Next[*messages.TorrentCompleted](s.session)
}

// A session that begins may not have heard that the torrent is complete.
func TestAnotherSessionIsToldOfCompletion(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{Wanted: has(5), Seed: true})
	s.Tell(&messages.PiecesKnown{Known: has(10), Have: has(5)})
	s.Tell(&messages.RestoreTotals{})
	s.Quiet(s.session)
	s.partly(5)
	stage.Next[*messages.TorrentCompleted](s.session)
	s.Tell(&messages.RestoreTotals{})
	if m := stage.Next[*messages.TorrentCompleted](s.session); m.Last.HavePieces != 5 {
		t.Errorf("it is told %+v", m)
	}
}
