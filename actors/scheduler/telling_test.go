package scheduler_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// Peers and timers of an incarnation that failed mean nothing to the next.
func TestNextIncarnationBeginsAnew(t *testing.T) {
	s := newScene(t)
	s.open()
	p := s.StartProbe("p")
	s.join(1, p, set(0))
	stage.Next[*messages.SetInterested](p)
	s.Crash()
	s.wantState(messages.StateDownloading) // the last counts
	s.Tell(&messages.PeerChoking{Key: 1, Window: 4})
	s.Tell(&messages.BlocksArrived{Key: 1, Blocks: []messages.Block{block(0, 0)}})
	s.Quiet(p)
	if n := s.World.Clock.Pending(); n != 1 {
		t.Errorf("%d timers, want one", n)
	}
	s.open()
}

// In a crowd, peers that may not download from us are told of several pieces at
// a time, and each peer of each piece once.
func TestHavesInACrowd(t *testing.T) {
	s := newScene(t)
	s.open()
	partner := s.StartProbe("partner")
	s.join(1, partner, set())
	crowd := make([]*stage.Probe, 149)
	for i := range crowd {
		key := messages.PeerKey(2 + i)
		crowd[i] = s.StartProbe(fmt.Sprint("idle", i))
		s.join(key, crowd[i], set())
		s.Tell(&messages.PeerRates{Key: key, At: s.World.Clock.Now(), Flags: messages.PeerFlags{AmChoking: true}})
	}
	wait := func() {
		s.Settle()
		s.World.Clock.Advance(100 * time.Millisecond)
	}
	verify := func(piece uint32) {
		s.Tell(&messages.PieceVerified{Piece: piece})
		wait()
		s.wantHaves(t, partner, piece)
	}
	heard := func(who []*stage.Probe, pieces ...uint32) {
		t.Helper()
		for _, p := range who {
			if diff := cmp.Diff(pieces, stage.Next[*messages.AnnounceHave](p).Pieces); diff != "" {
				t.Fatal(diff)
			}
		}
	}
	verify(0)
	heard(crowd[:20], 0)
	s.Quiet(crowd[20:]...)
	verify(1)
	heard(crowd[20:40], 0, 1)
	s.Quiet(crowd[40:]...)
	late := s.StartProbe("late")
	s.Tell(ready(500, late, 500))
	if m := stage.Next[*messages.StartSession](late); !m.Have.Test(1) {
		t.Error("a newcomer is welcomed without what is ours")
	}
	verify(2)
	heard([]*stage.Probe{late}, 2) // who has not been choked yet
	heard(crowd[40:60], 0, 1, 2)
	for from := 60; from < len(crowd); from += 20 {
		wait()
		to := min(from+20, len(crowd))
		heard(crowd[from:to], 0, 1, 2)
		s.Quiet(crowd[to:]...)
	}
	heard(crowd[:11], 1, 2) // the rest of that turn
	wait()
	heard(crowd[11:20], 1, 2)
	heard(crowd[20:31], 2)
	wait()
	heard(crowd[31:40], 2)
	wait()
	s.Quiet(crowd...)
	if n := s.World.Clock.Pending(); n != 1 {
		t.Errorf("%d timers with nothing to tell, want one", n)
	}
}

// The last totals include what peers reported before they went.
func TestTheLastCounts(t *testing.T) {
	s := newScene(t)
	s.open()
	p := s.StartProbe("p")
	s.join(1, p, set())
	s.Tell(&messages.PeerRates{Key: 1, UpTotal: 10, WastedTotal: 3})
	s.Tell(&messages.PeerRates{Key: 1, UpTotal: 50, WastedTotal: 4})
	s.Tell(&messages.PeerGone{Key: 1, Link: 1})
	asker := s.StartProbe("asker")
	s.Tell(&messages.CloseConnections{ReplyTo: asker.PID})
	if last := stage.Next[*messages.ConnectionsClosed](asker).Last; last.Uploaded != 50 || last.Wasted != 4 || last.Peers != 0 {
		t.Errorf("it counts %+v", last)
	}
}

// Choker, peers and torrent are told each time all wanted pieces are there, or
// are not any more. The torrent is seeding when the store has said that they
// are safe.
func TestWantedChanges(t *testing.T) {
	s := newScene(t)
	s.open()
	p := s.StartProbe("p")
	s.join(1, p, set(0, 1))
	stage.Next[*messages.SetInterested](p)

	s.Tell(&messages.SetWanted{Pieces: set(0)})
	s.wantNeeds(true)
	s.Tell(&messages.PeerChoking{Key: 1, Window: 4})
	wantBlocks(t, stage.Next[*messages.RequestBlocks](p).Blocks, block(0, 0), block(0, 1))
	s.Tell(&messages.BlocksArrived{Key: 1, Blocks: []messages.Block{block(0, 0), block(0, 1)}, Window: 4})
	s.Tell(&messages.PieceVerified{Piece: 0})
	stage.Next[*messages.AnnounceHave](p) // which sent it
	if !stage.Next[*messages.SetUploadOnly](p).UploadOnly {
		t.Error("says that more is wanted")
	}
	if stage.Next[*messages.SetInterested](p).Interested {
		t.Error("interested in what is not wanted")
	}
	stage.Next[*messages.TorrentPiecesVerified](s.torrent)
	if m := s.wantState(messages.StateFinishing); m.Wanted != 1 || m.Left != 0 || m.HavePieces != 1 {
		t.Errorf("%d of %d wanted pieces, %d bytes left", m.HavePieces, m.Wanted, m.Left)
	}
	s.wantNeeds(false)
	s.Tell(&messages.StoreFinished{Have: set(0)})
	s.wantState(messages.StateSeeding)

	s.Tell(&messages.SetWanted{})
	if m := s.wantState(messages.StateDownloading); m.Wanted != 4 || m.Left != m.Length-m.Have {
		t.Errorf("%d pieces wanted, %d bytes left", m.Wanted, m.Left)
	}
	s.wantNeeds(true)
	if stage.Next[*messages.SetUploadOnly](p).UploadOnly {
		t.Error("says that no more is wanted")
	}
	if !stage.Next[*messages.SetInterested](p).Interested {
		t.Error("not interested in what is wanted again")
	}
	wantBlocks(t, stage.Next[*messages.RequestBlocks](p).Blocks, block(1, 0), block(1, 1))
	s.Tell(&messages.SetWanted{Pieces: set(0)}) // which the store has told to be safe before
	if !stage.Next[*messages.SetUploadOnly](p).UploadOnly {
		t.Error("says that more is wanted")
	}
	if stage.Next[*messages.SetInterested](p).Interested {
		t.Error("interested in what is not wanted any more")
	}
	wantBlocks(t, stage.Next[*messages.CancelBlocks](p).Blocks, block(1, 0), block(1, 1))
	if m := stage.Next[*messages.DropPiece](s.store); m.Piece != 1 {
		t.Errorf("piece %d is dropped", m.Piece)
	}
	s.wantState(messages.StateSeeding)
}
