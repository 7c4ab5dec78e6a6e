package scheduler_test

import (
	"testing"
	"time"

	"kouzui/actors/lab/stage"
	"kouzui/actors/world/fake"
	"kouzui/messages"
)

// Progress and SetDialing come once a second, however the date is changed:
// without them no peer is dialled, and a stalled torrent is not noticed.
func TestReportsGoOnWhenTheDateJumps(t *testing.T) {
	on := stage.New(t)
	date := fake.NewJumping(on.World.Clock)
	on.World.Dates = date
	s := newSceneOn(t, on)
	s.open()
	for _, by := range []time.Duration{0, 5 * time.Hour, -10 * time.Hour, time.Hour} {
		date.Jump(by)
		s.World.Clock.Advance(time.Second)
		stage.Next[*messages.Progress](s.torrent)
		s.wantNeeds(true)
		s.Settle()
	}
	s.Quiet(s.torrent, s.peers)
}
