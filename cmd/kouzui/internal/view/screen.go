package view

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/charmbracelet/x/ansi"
)

// Screen keeps a few lines in place at the bottom of a terminal; what is
// written to it appears above them. It is safe for concurrent use.
//
// Screen sends no queries to the terminal and reads no input, so that no answer
// of the terminal is left for the shell to read.
type Screen struct {
	w    io.Writer
	size func() (width, height int)

	mu    sync.Mutex
	lines []string // as they stand
	buf   bytes.Buffer
}

// NewScreen draws on w. It calls size at every change.
func NewScreen(w io.Writer, size func() (width, height int)) *Screen {
	return &Screen{w: w, size: size}
}

// Show replaces the lines by those that draw makes for the size of the
// terminal. Nothing is written if the lines have not changed.
func (s *Screen) Show(draw func(width, height int) []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	width, height := s.size()
	// Behind a line as wide as the terminal, some terminals leave the cursor on
	// that line, others on the next.
	lines := draw(width-1, height-1)
	if slices.Equal(lines, s.lines) {
		return
	}
	s.erase(width)
	s.put(lines)
	s.flush()
}

// Write puts whole lines above those that are kept in place.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := s.lines
	width, _ := s.size()
	s.erase(width)
	s.buf.Write(p)
	if len(p) > 0 && p[len(p)-1] != '\n' {
		s.buf.WriteByte('\n')
	}
	s.put(lines)
	return len(p), s.flush()
}

// Close leaves the lines on the screen. What is written later comes below them.
func (s *Screen) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = nil
}

// Clear removes the lines from the screen.
func (s *Screen) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	width, _ := s.size()
	s.erase(width)
	s.lines = nil
	s.flush()
}

// erase moves the cursor to the start of the lines and clears them. If the
// terminal has become narrower, a line takes several rows.
func (s *Screen) erase(width int) {
	rows := 0
	for _, line := range s.lines {
		rows += max(1, (ansi.StringWidth(line)+width-1)/max(width, 1))
	}
	if rows > 0 {
		fmt.Fprintf(&s.buf, "\x1b[%dA\r\x1b[J", rows)
	}
}

func (s *Screen) put(lines []string) {
	for _, line := range lines {
		s.buf.WriteString(line)
		s.buf.WriteByte('\n')
	}
	s.lines = lines
}

// flush writes a change in one call, so that it is never seen in part.
func (s *Screen) flush() error {
	_, err := s.w.Write(s.buf.Bytes())
	s.buf.Reset()
	return err
}
