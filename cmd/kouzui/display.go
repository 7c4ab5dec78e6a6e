package main

import (
	"fmt"
	"time"

	"kouzui/cmd/kouzui/internal/report"
	"kouzui/cmd/kouzui/internal/units"
	"kouzui/cmd/kouzui/internal/view"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

const (
	drawEvery  = 250 * time.Millisecond
	plainEvery = 10 * time.Second
)

// display shows a session as the user chose: live, in plain lines, as JSON.
type display struct {
	out     *output
	started time.Time
	order   []metainfo.Hash
	current map[metainfo.Hash]*messages.Progress
	drawn   time.Time
	printed map[metainfo.Hash]time.Time // the last plain line
	leaving map[metainfo.Hash]bool      // it ends when it is complete
}

func newDisplay(out *output) display {
	return display{
		out: out, started: time.Now(),
		current: map[metainfo.Hash]*messages.Progress{}, printed: map[metainfo.Hash]time.Time{},
		leaving: map[metainfo.Hash]bool{},
	}
}

func (d *display) event(event any) {
	if d.out.lines != nil {
		d.out.lines.Event(event)
	}
	p, ok := event.(*messages.Progress)
	if !ok {
		return
	}
	before := d.current[p.InfoHash]
	if before == nil {
		d.order = append(d.order, p.InfoHash)
	}
	d.current[p.InfoHash] = p
	if p.State == messages.StateSeeding && d.leaving[p.InfoHash] {
		return // its last words follow
	}
	changed := before != nil && before.State != p.State
	if d.out.plain && (changed || p.At.Sub(d.printed[p.InfoHash]) >= plainEvery) {
		d.printed[p.InfoHash] = p.At
		fmt.Fprintln(d.out.stderr, view.Line(p))
	}
}

// due is how long the live view has to wait to be drawn again.
func (d *display) due(now time.Time) time.Duration {
	return max(0, drawEvery-now.Sub(d.drawn))
}

func (d *display) draw(now time.Time) {
	d.drawn = now
	if d.out.screen == nil {
		return
	}
	d.out.screen.Show(func(width, height int) []string {
		var list []*messages.Progress
		for _, hash := range d.order {
			if p := d.current[hash]; p != nil {
				list = append(list, p)
			}
		}
		if len(list) == 0 {
			return nil
		}
		return view.Lines(list, view.Canvas{Width: width, Height: height, Colour: d.out.colour})
	})
}

// ended takes a torrent out of the view and leaves a line about it.
func (d *display) ended(j *job, complete bool) {
	d.current[j.torrent.InfoHash] = nil
	d.draw(time.Now())
	seconds := time.Since(d.started).Seconds()
	if d.out.lines != nil {
		sum := report.Totals{Seconds: seconds, Restarts: j.last.Restarts}
		add(&sum, &j.last)
		d.out.lines.Torrent(j.torrent, j.path(), complete, exitCode(j.err), j.err, sum)
	}
	d.out.say("%s", lastWords(&j.last, complete, seconds))
	if complete && j.err == nil && !j.options.MustExist {
		d.out.result("%s", j.path())
	}
}

// lastWords sum a torrent up on one line.
func lastWords(p *messages.Progress, complete bool, seconds float64) string {
	line := metainfo.Clean(p.Name, 200) + ": "
	if complete {
		line += "complete, " + units.Bytes(p.Length)
	} else {
		line += fmt.Sprintf("%s of %s", units.Percent(p.Have, p.Length), units.Bytes(p.Length))
	}
	if p.Downloaded > 0 {
		line += fmt.Sprintf(", downloaded %s in %.1fs (%s)", units.Bytes(p.Downloaded), seconds, units.Rate(float64(p.Downloaded)/max(seconds, 0.001)))
	}
	if p.Uploaded > 0 {
		line += ", uploaded " + units.Bytes(p.Uploaded)
	}
	for _, c := range []struct {
		what string
		n    int64
	}{{"wasted bytes", p.Wasted}, {"corrupt pieces", int64(p.Corrupt)}, {"restarts", int64(p.Restarts)}} {
		if c.n > 0 {
			line += fmt.Sprintf(", %s %d", c.what, c.n)
		}
	}
	return line
}
