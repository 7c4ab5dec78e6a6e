package scheduler_test

import (
	"testing"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// Two that want no more pieces part, whoever is the first to say so; one that
// wants some stays with the other.
func TestWhoWantNoMorePart(t *testing.T) {
	s := newScene(t)
	s.open()
	partial, p := s.StartProbe("partial"), s.StartProbe("p")
	s.join(1, partial, set(1))
	stage.Next[*messages.SetInterested](partial)
	s.join(2, p, set())
	says := func(key messages.PeerKey, is bool) {
		s.Tell(&messages.PeerRates{Key: key, At: s.World.Clock.Now(), Flags: messages.PeerFlags{UploadOnly: is}})
	}
	says(1, true)
	s.Settle()
	s.Quiet(partial, p)
	s.Tell(&messages.SetWanted{Pieces: set()})
	if m := stage.Next[*messages.Disconnect](partial); m.Reason != messages.GoneUseless {
		t.Errorf("parts as %v", m.Reason)
	}
	if !stage.Next[*messages.SetUploadOnly](p).UploadOnly {
		t.Error("says that more is wanted")
	}
	says(2, false)
	s.Settle()
	s.Quiet(p)
	says(2, true)
	if m := stage.Next[*messages.Disconnect](p); m.Reason != messages.GoneUseless {
		t.Errorf("parts as %v", m.Reason)
	}
}
