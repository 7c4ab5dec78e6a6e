// Package progress shows running torrents as the user chose: live, in plain
// lines, or as JSON.
package progress

import (
	"fmt"
	"kouzui"
	"time"

	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/timeleft"
	"kouzui/cmd/kouzui/internal/view"
)

const (
	drawEvery  = 250 * time.Millisecond // the live view
	plainEvery = 10 * time.Second       // a plain line of each torrent
)

// Display shows what the client tells of its torrents.
type Display struct {
	out     *output.Output
	order   []kouzui.Hash
	shown   map[kouzui.Hash]*shown
	drawn   time.Time
	leaving map[kouzui.Hash]bool
}

// shown is a torrent on display.
type shown struct {
	view.Torrent                   // without a status before the first report, and when it has ended
	left         timeleft.Estimate // behind Torrent.TimeLeft
	printed      time.Time         // the last plain line
}

// NewDisplay shows on out.
func NewDisplay(out *output.Output) *Display {
	return &Display{out: out, shown: map[kouzui.Hash]*shown{}, leaving: map[kouzui.Hash]bool{}}
}

// Add makes room for a torrent, so that the live view has its form from the
// beginning.
func (d *Display) Add(hash kouzui.Hash) { d.add(hash) }

func (d *Display) add(hash kouzui.Hash) *shown {
	t := d.shown[hash]
	if t == nil {
		t = &shown{}
		d.shown[hash] = t
		d.order = append(d.order, hash)
	}
	return t
}

// Leaves says that a torrent ends once it is complete: it has no line that
// calls it seeding.
func (d *Display) Leaves(hash kouzui.Hash) { d.leaving[hash] = true }

// Event shows an event of the client.
func (d *Display) Event(event any) {
	if d.out.Lines != nil {
		d.out.Lines.Event(event)
	}
	if m, ok := event.(kouzui.Progress); ok {
		d.progress(&m.Status)
	}
}

func (d *Display) progress(p *kouzui.Status) {
	t := d.add(p.InfoHash)
	changed := t.Status != nil && t.State != p.State
	t.Status = p
	t.TimeLeft, _ = t.left.Left(p)
	if p.State == kouzui.StateSeeding && d.leaving[p.InfoHash] {
		return
	}
	if d.out.Plain && (changed || p.At.Sub(t.printed) >= plainEvery) {
		t.printed = p.At
		fmt.Fprintln(d.out.Stderr, view.Line(t.Torrent))
	}
}

// Remove takes a torrent out of the live view.
func (d *Display) Remove(hash kouzui.Hash) {
	d.add(hash).Status = nil
	d.Draw(time.Now())
}

// Due is how long the live view has to wait until it is drawn again.
func (d *Display) Due(now time.Time) time.Duration {
	return max(0, drawEvery-now.Sub(d.drawn))
}

// Draw draws the live view, if there is one.
func (d *Display) Draw(now time.Time) {
	d.drawn = now
	if d.out.Screen == nil {
		return
	}
	// The screen draws again by itself when its size changes: what it draws must
	// not change meanwhile.
	var list []view.Torrent
	for _, hash := range d.order {
		if t := d.shown[hash]; t.Status != nil {
			list = append(list, t.Torrent)
		}
	}
	torrents := len(d.order)
	d.out.Screen.Show(func(width, height int) []string {
		return view.Lines(list, view.Canvas{Width: width, Height: height, Colour: d.out.Colour, Torrents: torrents})
	})
}

// Clear takes the live view off the screen.
func (d *Display) Clear() {
	if d.out.Screen != nil {
		d.out.Screen.Clear()
	}
}
