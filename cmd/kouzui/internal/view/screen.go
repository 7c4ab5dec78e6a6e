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
// written above them goes through writers of Above. It is safe for concurrent
// use.
//
// Screen sends no queries to the terminal and reads no input, so that no answer
// of the terminal is left for the shell to read. It never clears the terminal
// from its first cell on: tmux and others then move all that is seen into their
// history.
type Screen struct {
	// Away says that the terminal is not ours at the moment, because the program
	// runs in the background of a shell: nothing is kept in place then. It may be
	// nil, and is set before the first use.
	Away func() bool

	w    io.Writer
	size func() (width, height int)

	mu    sync.Mutex
	draw  func(width, height int) []string
	lines []string // as they stand
	width int      // of the terminal when they were drawn
	above []*above
	buf   bytes.Buffer
}

// NewScreen draws on w. It calls size at every change.
func NewScreen(w io.Writer, size func() (width, height int)) *Screen {
	return &Screen{w: w, size: size}
}

// Show replaces the lines by those that draw makes for the size of the
// terminal. Lines that have not changed are not written again.
func (s *Screen) Show(draw func(width, height int) []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draw = draw
	s.show()
}

// Resized draws again, for the size that the terminal has now.
func (s *Screen) Resized() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draw != nil {
		s.show()
	}
}

// Stopped lets stop halt the program, and draws again below what others have
// written meanwhile. Nothing is drawn before stop has returned.
func (s *Screen) Stopped(stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stop()
	s.lines = nil
	if s.draw != nil {
		s.show()
	}
}

func (s *Screen) show() {
	if s.away() {
		return
	}
	width, height := s.size()
	// Behind a line as wide as the terminal, some terminals leave the cursor on
	// that line, others on the next.
	lines := s.draw(width-1, height-1)
	if width == s.width && slices.Equal(lines, s.lines) {
		return
	}
	rows := s.up(width, height)
	old := s.lines
	if rows != len(old) { // some take several rows, or have left the screen
		s.blank(rows)
		old = nil
	}
	for i, line := range lines {
		if i >= len(old) || line != old[i] {
			s.buf.WriteString(line + "\x1b[K")
		}
		s.buf.WriteByte('\n')
	}
	s.blank(len(old) - len(lines))
	s.lines, s.width = lines, width
	s.flush(s.w)
}

// away forgets the lines if the terminal is not ours: where they stand is not
// known any more.
func (s *Screen) away() bool {
	if s.Away == nil || !s.Away() {
		return false
	}
	s.lines = nil
	return true
}

// up moves the cursor to the start of the lines, and returns how many rows they
// take. If the terminal has become narrower, a line takes several rows; those
// that the terminal has moved into its history by that are out of reach. What
// the terminal has echoed below the lines, such as ^C, is cleared.
func (s *Screen) up(width, height int) (rows int) {
	for _, line := range s.lines {
		rows += max(1, (ansi.StringWidth(line)+width-1)/max(width, 1))
	}
	if rows = min(rows, height-1); rows > 0 {
		fmt.Fprintf(&s.buf, "\r\x1b[K\x1b[%dA", rows)
	}
	return rows
}

// blank clears rows from that of the cursor on, and leaves the cursor there.
func (s *Screen) blank(rows int) {
	for range rows {
		s.buf.WriteString("\x1b[K\n")
	}
	if rows > 0 {
		fmt.Fprintf(&s.buf, "\x1b[%dA", rows)
	}
}

// Close leaves the lines on the screen. What is written later comes below them,
// and takes the place of what the terminal has echoed there.
func (s *Screen) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) > 0 && !s.away() {
		s.buf.WriteString("\r\x1b[K")
		s.flush(s.w)
	}
	s.lines, s.draw = nil, nil
	for _, a := range s.above {
		a.put(a.part)
		a.part = nil
	}
}

// Clear removes the lines from the screen.
func (s *Screen) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.away() {
		s.erase()
		s.flush(s.w)
	}
	s.lines, s.draw = nil, nil
}

func (s *Screen) erase() { s.blank(s.up(s.size())) }

// flush writes a change in one call, so that it is never seen in part.
func (s *Screen) flush(w io.Writer) error {
	if s.buf.Len() == 0 {
		return nil
	}
	_, err := w.Write(s.buf.Bytes())
	s.buf.Reset()
	return err
}

// above writes above the lines of a screen.
type above struct {
	screen *Screen
	w      io.Writer
	part   []byte // of a line, without its end
}

// Above returns a writer whose text goes to w, which is the same terminal, and
// appears above the lines. While there are lines, the end of a text that is no
// whole line is held back.
func (s *Screen) Above(w io.Writer) io.Writer {
	a := &above{screen: s, w: w}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.above = append(s.above, a)
	return a
}

func (a *above) Write(p []byte) (int, error) {
	s := a.screen
	s.mu.Lock()
	defer s.mu.Unlock()
	text := append(a.part, p...)
	a.part = nil
	if len(s.lines) == 0 || s.away() {
		return len(p), a.put(text)
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	a.part = slices.Clone(text[whole:])
	if whole == 0 {
		return len(p), nil
	}
	lines := s.lines
	s.erase()
	if a.w != s.w {
		s.flush(s.w)
	}
	s.buf.Write(text[:whole])
	var err error
	if a.w != s.w {
		err = s.flush(a.w)
	}
	for _, line := range lines {
		s.buf.WriteString(line + "\n")
	}
	if failed := s.flush(s.w); a.w == s.w {
		err = failed
	}
	return len(p), err
}

func (a *above) put(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	_, err := a.w.Write(text)
	return err
}
