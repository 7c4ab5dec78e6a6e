package tracker

import (
	"testing"
	"time"

	"kouzui/actors/lab/stage"
	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/announce"
)

// Intervals are measured in elapsed time, however the date jumps.
func TestNoAnnounceComesOfADateThatJumps(t *testing.T) {
	for _, by := range []time.Duration{50 * time.Hour, -50 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			on := stage.New(t)
			on.World.Dates = fake.NewJumping(on.World.Clock)
			s := performOn(t, on)
			s.begin().Reply(announce.Reply{Interval: time.Hour})
			stage.Next[*messages.TrackerReplied](s.torrent)
			s.Tell(&messages.SetTotals{})
			s.Settle()
			s.World.Clock.Advance(20 * time.Minute)
			s.World.Dates.Jump(by)
			s.Tell(&messages.SetTotals{})
			s.Settle()
			s.World.Clock.Advance(40*time.Minute - 1)
			s.noAnnounce()
			s.World.Clock.Advance(1)
			s.World.Trackers.AwaitAnnounce().Reply(announce.Reply{Interval: time.Hour})
		})
	}
}
