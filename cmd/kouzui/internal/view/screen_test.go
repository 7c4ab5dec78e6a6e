package view

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/vt"
	"pgregory.net/rapid"
)

// terminal is an emulator of one, behind a line discipline that sends the
// cursor to the first column at the end of a line.
type terminal struct {
	*vt.Emulator
	written bytes.Buffer // since the last look
}

func newTerminal(width, height int) *terminal {
	return &terminal{Emulator: vt.NewEmulator(width, height)}
}

func (t *terminal) Write(p []byte) (int, error) {
	t.written.Write(p)
	_, err := t.Emulator.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n")))
	return len(p), err
}

// rows are what is seen, without the empty rows at the end.
func (t *terminal) rows() []string { return t.read(t.Height(), t.CellAt) }

// history is what has left the screen at its top.
func (t *terminal) history() []string { return t.read(t.ScrollbackLen(), t.ScrollbackCellAt) }

func (t *terminal) read(rows int, cell func(x, y int) *uv.Cell) (list []string) {
	for y := range rows {
		var row strings.Builder
		for x := range t.Width() {
			if c := cell(x, y); c != nil {
				row.WriteString(c.Content)
			}
		}
		list = append(list, strings.TrimRight(row.String(), " "))
	}
	for len(list) > 0 && list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return list
}

func (t *terminal) screen() *Screen {
	return NewScreen(t, func() (int, int) { return t.Width(), t.Height() })
}

// fixed draws lines whatever the size is.
func fixed(lines ...string) func(int, int) []string {
	return func(int, int) []string { return lines }
}

func TestScreen(t *testing.T) {
	term := newTerminal(20, 6)
	s := term.screen()
	logs, results := s.Above(term), s.Above(struct{ io.Writer }{term})
	for _, step := range []struct {
		do            func()
		rows, history string
	}{
		{func() { fmt.Fprintln(logs, "$ kouzui") }, "$ kouzui", ""},
		{func() { s.Show(fixed("one", "two")) }, "$ kouzui|one|two", ""},
		{func() { fmt.Fprint(term, "^C") }, "$ kouzui|one|two|^C", ""},
		{func() { fmt.Fprintln(logs, "log") }, "$ kouzui|log|one|two", ""},
		{func() { fmt.Fprintln(results, "path") }, "$ kouzui|log|path|one|two", ""},
		{func() { fmt.Fprint(results, "a ") }, "$ kouzui|log|path|one|two", ""},
		{func() { fmt.Fprint(results, "line\nb") }, "log|path|a line|one|two", "$ kouzui"},
		{func() { s.Show(fixed("three")) }, "log|path|a line|three", "$ kouzui"},
		{func() { s.Show(fixed("3", "4", "5", "6", "7")) }, "3|4|5|6|7", "$ kouzui|log|path|a line"},
		{func() { fmt.Fprintln(results, "end") }, "3|4|5|6|7", "$ kouzui|log|path|a line|bend"},
		{func() { s.Show(fixed("3", "x", "5", "6", "7")) }, "3|x|5|6|7", "$ kouzui|log|path|a line|bend"},
		{s.Clear, "", "$ kouzui|log|path|a line|bend"},
		{func() { s.Show(fixed("z")) }, "z", "$ kouzui|log|path|a line|bend"},
		{func() { fmt.Fprint(term, "^C"); fmt.Fprint(logs, "c"); s.Close() }, "z|c", "$ kouzui|log|path|a line|bend"},
	} {
		step.do()
		if got := strings.Join(term.rows(), "|"); got != step.rows {
			t.Errorf("got the rows %s, want %s", got, step.rows)
		}
		if got := strings.Join(term.history(), "|"); got != step.history {
			t.Errorf("got the history %s, want %s", got, step.history)
		}
	}
}

// Whatever is shown and written: above stands all that was written, in order,
// then the lines; and nothing else is in the history.
func TestScreenKeepsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		term := newTerminal(20, rapid.IntRange(2, 8).Draw(t, "height"))
		s := term.screen()
		logs, results := s.Above(term), s.Above(struct{ io.Writer }{term})
		var written, lines []string
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				lines = nil
				for range rapid.IntRange(0, term.Height()-1).Draw(t, "lines") {
					lines = append(lines, rapid.StringMatching(`[a-z]{1,19}`).Draw(t, "line"))
				}
				s.Show(fixed(lines...))
			case 1:
				written = append(written, fmt.Sprint("log ", i))
				fmt.Fprintln(logs, written[len(written)-1])
			case 2:
				written = append(written, fmt.Sprint("result ", i))
				fmt.Fprintln(results, written[len(written)-1])
			}
			want := append(slices.Clone(written), lines...)
			if got := append(term.history(), term.rows()...); !slices.Equal(got, want) {
				t.Fatalf("got %q, want %q", got, want)
			}
			if strings.Contains(term.written.String(), "\x1b[J") {
				t.Fatal("tmux moves what is cleared into its history")
			}
		}
	})
}

// Only what has changed is written.
func TestScreenWritesLittle(t *testing.T) {
	term := newTerminal(20, 6)
	s := term.screen()
	s.Show(fixed("one", "two"))
	term.written.Reset()
	s.Show(fixed("one", "two"))
	if got := term.written.String(); got != "" {
		t.Errorf("%q for nothing", got)
	}
	s.Show(fixed("one", "2"))
	if got := term.written.String(); strings.Contains(got, "one") {
		t.Errorf("%q for one line", got)
	}
}

// Lines that a narrower terminal has wrapped are erased in all their rows.
func TestScreenNarrower(t *testing.T) {
	var got bytes.Buffer
	width := 20
	s := NewScreen(&got, func() (int, int) { return width, 10 })
	s.Show(fixed(strings.Repeat("x", 15)))
	got.Reset()
	width = 10
	s.Show(fixed("y"))
	if want := "\r\x1b[K\x1b[2A\x1b[K\n\x1b[K\n\x1b[2Ay\x1b[K\n"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
}

// A program that was stopped draws below what the shell has written; in the
// background it keeps nothing in place.
func TestScreenOfAJob(t *testing.T) {
	term := newTerminal(20, 10)
	s := term.screen()
	away := false
	s.Away = func() bool { return away }
	logs := s.Above(term)
	s.Show(fixed("one"))
	s.Stopped(func() { fmt.Fprintln(term, "$ fg") })
	away = true
	s.Show(fixed("two"))
	s.Resized()
	fmt.Fprintln(term, "$ ls")
	fmt.Fprintln(logs, "log")
	away = false
	s.Show(fixed("three"))
	if got := strings.Join(term.rows(), "|"); got != "one|$ fg|one|$ ls|log|three" {
		t.Errorf("got %s", got)
	}
}
