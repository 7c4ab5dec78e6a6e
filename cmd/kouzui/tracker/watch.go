package tracker

import (
	"fmt"
	"time"

	"github.com/charmbracelet/x/ansi"

	"kouzui/actors/runtime/units"
	"kouzui/actors/trackerserver"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/trackerd"
)

const (
	askEvery   = time.Second      // the tracker, for its counts
	plainEvery = 10 * time.Second // a plain line at most
)

// watch shows what the tracker knows, until it fails or the user ends it.
func watch(r *command.Run, tracker *trackerd.Tracker) error {
	answers := make(chan trackerserver.Counts, 1)
	ask := time.NewTicker(askEvery)
	defer ask.Stop()
	shown := display{out: r.Output}
	for {
		select {
		case err := <-tracker.Failed:
			return exit.With(exit.Network, err)
		case <-r.Stop.First:
			return nil
		case <-ask.C:
			tracker.Counts(func(c trackerserver.Counts) {
				select {
				case answers <- c:
				default: // the one before has not been shown yet
				}
			})
		case c := <-answers:
			shown.show(c, time.Now())
		}
	}
}

// display shows counts in one line: live, or plain when they have changed.
type display struct {
	out     *output.Output
	line    string // the last plain one
	printed time.Time
}

func (d *display) show(c trackerserver.Counts, now time.Time) {
	line := describe(c)
	if d.out.Screen != nil {
		d.out.Screen.Show(func(width, _ int) []string { return []string{ansi.Truncate(line, width, "…")} })
	}
	if d.out.Plain && c.Announces > 0 && line != d.line && now.Sub(d.printed) >= plainEvery {
		d.line, d.printed = line, now
		fmt.Fprintln(d.out.Stderr, line)
	}
}

func describe(c trackerserver.Counts) string {
	return fmt.Sprintf("%s, %s (%s), %s", units.Count(c.Torrents, "torrent"), units.Count(c.Peers, "peer"),
		units.Count(c.Seeds, "seed"), units.Count(int(c.Announces), "announce"))
}
