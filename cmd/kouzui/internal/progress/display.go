// Package progress shows running torrents as the user chose: live, in plain
// lines, or as JSON.
package progress

import (
	"fmt"
	"kouzui"
	"time"

	"kouzui/cmd/kouzui/internal/output"
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
	current map[kouzui.Hash]*kouzui.Status
	drawn   time.Time
	printed map[kouzui.Hash]time.Time // the last plain line
	leaving map[kouzui.Hash]bool
}

// NewDisplay shows on out.
func NewDisplay(out *output.Output) *Display {
	return &Display{
		out:     out,
		current: map[kouzui.Hash]*kouzui.Status{}, printed: map[kouzui.Hash]time.Time{},
		leaving: map[kouzui.Hash]bool{},
	}
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
	before := d.current[p.InfoHash]
	if before == nil {
		d.order = append(d.order, p.InfoHash)
	}
	d.current[p.InfoHash] = p
	if p.State == kouzui.StateSeeding && d.leaving[p.InfoHash] {
		return
	}
	changed := before != nil && before.State != p.State
	if d.out.Plain && (changed || p.At.Sub(d.printed[p.InfoHash]) >= plainEvery) {
		d.printed[p.InfoHash] = p.At
		fmt.Fprintln(d.out.Stderr, view.Line(p))
	}
}

// Remove takes a torrent out of the live view.
func (d *Display) Remove(hash kouzui.Hash) {
	d.current[hash] = nil
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
	d.out.Screen.Show(func(width, height int) []string {
		var list []*kouzui.Status
		for _, hash := range d.order {
			if p := d.current[hash]; p != nil {
				list = append(list, p)
			}
		}
		if len(list) == 0 {
			return nil
		}
		return view.Lines(list, view.Canvas{Width: width, Height: height, Colour: d.out.Colour})
	})
}

// Clear takes the live view off the screen.
func (d *Display) Clear() {
	if d.out.Screen != nil {
		d.out.Screen.Clear()
	}
}
