package debugview

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"kouzui/cmd/kouzui/internal/exit"
)

// Interactive tells whether the user is at a terminal, and sees what is
// written.
func (s *Session) Interactive(in io.Reader) bool {
	file, is := in.(*os.File)
	return is && !s.JSON && s.Width() > 0 && term.IsTerminal(int(file.Fd()))
}

// Converse does what the user says until the user has had enough, or ctx ends.
// On a terminal lines are edited, and what goes wrong is told on errs. From
// elsewhere lines are read as they are, and the first thing that goes wrong
// ends the session.
func (s *Session) Converse(ctx context.Context, in io.Reader, errs io.Writer) error {
	if s.Interactive(in) {
		return s.converse(ctx, in.(*os.File), errs)
	}
	lines, number := bufio.NewScanner(in), 0
	for !s.over {
		line, err := next(ctx, func() (string, error) {
			if lines.Scan() {
				return lines.Text(), nil
			}
			if lines.Err() != nil {
				return "", lines.Err()
			}
			return "", io.EOF
		})
		number++
		switch {
		case err == io.EOF:
			return nil
		case ctx.Err() != nil:
			return exit.ErrInterrupted
		case err != nil:
			return exit.Errorf(exit.Usage, "line %d of the commands cannot be read: %w", number, err)
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := s.Do(line); err != nil {
			return exit.Errorf(exit.Code(err), "line %d: %w", number, err)
		}
	}
	return nil
}

// next waits for a line, or for the end of ctx.
func next(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := read()
		got <- answer{line, err}
	}()
	select {
	case r := <-got:
		return r.line, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// converse is Converse on a terminal.
func (s *Session) converse(ctx context.Context, in *os.File, errs io.Writer) error {
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, s.Out}, "")
	t.AutoCompleteCallback = s.complete
	for !s.over {
		line, err := s.edit(ctx, t, in)
		switch {
		case errors.Is(err, io.EOF):
			fmt.Fprintln(s.Out)
			return nil
		case ctx.Err() != nil:
			return exit.ErrInterrupted
		case err != nil:
			return err
		}
		if err := s.Do(line); err != nil {
			if exit.BrokenPipe(err) {
				return err
			}
			fmt.Fprintln(errs, s.paint().Warning(exit.OneLine(err)))
		}
	}
	return nil
}

// edit has the user write a line. Only meanwhile the terminal is raw.
func (s *Session) edit(ctx context.Context, t *term.Terminal, in *os.File) (string, error) {
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return "", err
	}
	defer term.Restore(int(in.Fd()), before)
	if width, height, err := term.GetSize(int(in.Fd())); err == nil {
		_ = t.SetSize(width, height)
	}
	t.SetPrompt(s.paint().Bold(s.Prompt()))
	return next(ctx, t.ReadLine)
}

// complete is called at each key, and completes at a tab: the command, and then
// the names of nodes and actors.
func (s *Session) complete(line string, pos int, key rune) (string, int, bool) {
	if key != '\t' {
		return "", 0, false
	}
	before := line[:pos]
	word := before[strings.LastIndexByte(before, ' ')+1:]
	var fit []string
	for _, name := range s.words(strings.Fields(before[:len(before)-len(word)])) {
		if strings.HasPrefix(name, word) && !slices.Contains(fit, name) {
			fit = append(fit, name)
		}
	}
	if len(fit) == 0 {
		return line, pos, true
	}
	common := fit[0]
	for _, name := range fit[1:] {
		for !strings.HasPrefix(name, common) {
			common = common[:len(common)-1]
		}
	}
	if len(fit) == 1 {
		common += " "
	}
	return before + common[len(word):] + line[pos:], pos + len(common) - len(word), true
}

// words are what may stand behind others on a line.
func (s *Session) words(before []string) (fit []string) {
	if len(before) == 0 {
		for _, c := range commands {
			fit = append(fit, c.name)
		}
		return fit
	}
	c, err := find(before[0])
	if err != nil {
		return nil
	}
	switch c.name {
	case "until":
		if len(before) == 1 {
			return Whats()
		}
	case "back":
		if len(before) == 1 {
			return []string{"next", "until", "watch"}
		}
		return s.words(before[1:])
	case "help":
		return s.words(nil)
	}
	if !strings.Contains(c.args, "ACTOR") && !strings.Contains(c.args, "NODE") {
		return nil
	}
	for _, p := range s.Debugger.Participants() {
		fit = append(fit, p.Name)
	}
	for _, n := range s.Debugger.Actors("*") {
		fit = append(fit, brief(n.Path))
	}
	return fit
}
