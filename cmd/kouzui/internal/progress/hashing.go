package progress

import (
	"kouzui"
	"time"

	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/view"
)

// Hashing shows how far the hashing of files is, for commands that run no
// client.
type Hashing struct {
	display *Display
	now     kouzui.Status
}

// NewHashing shows the hashing of total pieces. A job that is done before a
// plain line is due gets none.
func NewHashing(out *output.Output, name string, total int) *Hashing {
	shown := *out
	shown.Lines = nil // the result of the command is its only JSON
	h := &Hashing{display: NewDisplay(&shown), now: kouzui.Status{Name: name, State: view.Hashing, CheckTotal: total}}
	h.display.add(h.now.InfoHash).printed = time.Now()
	return h
}

// Done counts one more piece.
func (h *Hashing) Done() {
	h.now.CheckDone++
	at := time.Now()
	if h.display.Due(at) > 0 {
		return
	}
	p := h.now
	p.At = at
	h.display.progress(&p)
	h.display.Draw(at)
}

// Close takes the progress off the screen.
func (h *Hashing) Close() { h.display.Clear() }
