// Package debugview lets a user steer a debugger of simulated runs by lines of
// text, and shows what the debugger sees: as text or as JSON lines.
package debugview

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/lab/debug"
	"kouzui/actors/runtime/event"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/paint"
	"kouzui/cmd/kouzui/internal/traceview"
)

// Session is a debugger and its user.
type Session struct {
	Debugger *debug.Debugger
	Run      string // name of the scenario, and the seed
	Out      io.Writer
	JSON     bool
	Colour   bool
	Width    func() int // of the terminal; 0: there is none

	matched func(*event.Event) bool // of the last until; nil: it was about no event
	last    string                  // the last line that moves, which an empty line repeats
	over    bool                    // the user has had enough
	wrong   int                     // failed checks that the user has been told of
}

// Over tells whether the user has had enough.
func (s *Session) Over() bool { return s.over }

// Prompt is what stands before a line of the user.
func (s *Session) Prompt() string {
	p := s.Debugger.Position()
	if p.Ended {
		return "ended> "
	}
	return seconds(p.Elapsed) + " s> "
}

// Do does what a line says. An empty line moves on like the one before.
func (s *Session) Do(line string) error {
	words := strings.Fields(line)
	if len(words) == 0 {
		if words = strings.Fields(s.last); len(words) == 0 {
			return nil
		}
	}
	if strings.HasPrefix(words[0], "#") {
		return nil // a comment of a script
	}
	c, err := find(words[0])
	if err != nil {
		return err
	}
	s.last = ""
	if c.moves {
		s.last = strings.Join(words, " ")
	}
	if n := len(words) - 1; n < c.least || n > c.most {
		return exit.Usagef("", "%s: it is used as: %s", c.name, c.usage())
	}
	if c.moves {
		s.matched = nil
	}
	if err := c.do(s, words[1:]); err != nil {
		return s.arrived(err)
	}
	if c.moves {
		return s.where(nil)
	}
	return nil
}

// arrived shows where the run is that did not go where it was sent.
func (s *Session) arrived(err error) error {
	s.matched = nil
	for known, code := range map[error]int{debug.ErrEnded: exit.Other, debug.ErrNever: exit.Other, debug.ErrInterrupted: exit.Interrupted} {
		if errors.Is(err, known) {
			if err := s.where(nil); err != nil {
				return err
			}
			return exit.With(code, err)
		}
	}
	if exit.Code(err) == exit.Other {
		return exit.With(exit.Usage, err) // of an actor, a field or a number that the user has named
	}
	return err
}

// write writes lines of text, or of JSON: those that are not asked for are not
// made.
func (s *Session) write(text func() []string, lines func() []any) error {
	if !s.JSON {
		var b strings.Builder
		for _, line := range text() {
			indent := len(line) - len(strings.TrimLeft(line, " "))
			b.WriteString(paint.Wrap(line, s.Width(), indent+hang) + "\n")
		}
		_, err := io.WriteString(s.Out, b.String())
		return err
	}
	to := json.NewEncoder(s.Out)
	to.SetEscapeHTML(false)
	for _, line := range lines() {
		if err := to.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// hang is by how much what goes on in the next row of a terminal is indented.
const hang = 4

func (s *Session) paint() paint.Paint { return paint.Paint(s.Colour) }

// sentence is an event in words.
func (s *Session) sentence(e *event.Event) string {
	return traceview.Paint(s.Colour).Line(e, lab.Epoch)
}

// brief is the path of an actor as the user may give it: node and actor.
func brief(path string) string {
	node, below, narrow := strings.Cut(path, "/")
	if !narrow {
		return node
	}
	return node + "/" + below[strings.LastIndexByte(below, '/')+1:]
}

// from says who has sent a message.
func from(path string) string {
	if path == "" {
		return "the world"
	}
	return brief(path)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }
