package main

import (
	"time"

	"kouzui/cmd/kouzui/internal/view"
	"kouzui/messages"
)

// steps shows the progress of work that no engine does.
type steps struct {
	display display
	now     messages.Progress
}

func newSteps(out *output, name string, total int) *steps {
	shown := *out
	shown.lines = nil // the result is the only JSON of such work
	s := &steps{display: newDisplay(&shown), now: messages.Progress{Name: name, State: view.Hashing, CheckTotal: total}}
	// What is quickly done needs no plain line.
	s.display.printed[s.now.InfoHash] = time.Now()
	return s
}

// done takes note of one step more.
func (s *steps) done() {
	s.now.CheckDone++
	at := time.Now()
	if s.display.due(at) > 0 {
		return
	}
	p := s.now
	p.At = at
	s.display.event(&p)
	s.display.draw(at)
}

// close takes the progress off the screen.
func (s *steps) close() {
	if s.display.out.screen != nil {
		s.display.out.screen.Clear()
	}
}
