package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kouzui/cmd/kouzui/internal/report"
	"kouzui/cmd/kouzui/internal/view"
)

// outputFlags say what is shown, and where.
type outputFlags struct {
	json      bool
	progress  *string
	colour    *string
	quiet     bool
	verbose   int
	log       string
	logFormat *string
}

// bind adds the flags to c.
func (o *outputFlags) bind(c *cobra.Command) {
	f := c.Flags()
	o.progress = choose(c, "progress", "what shows the progress on stderr", "auto", "bar", "plain", "none")
	o.colour = choose(c, "color", "when to use colours", "auto", "always", "never")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "show errors only")
	f.CountVarP(&o.verbose, "verbose", "v", "log more to stderr; twice for even more")
	f.StringVar(&o.log, "log", "", "write the log to `FILE` instead of stderr")
	o.logFormat = choose(c, "log-format", "format of the log", "text", "json")
}

// bindJSON adds --json, for commands that know it.
func (o *outputFlags) bindJSON(c *cobra.Command) {
	c.Flags().BoolVar(&o.json, "json", false, "write JSON to stdout")
}

// output is where a command writes to: results to stdout, the rest to stderr,
// of which a part may be kept in place.
type output struct {
	stdout *resultWriter
	stderr io.Writer    // through the screen, if there is one
	screen *view.Screen // nil: no live view
	plain  bool         // progress as plain lines
	colour bool
	quiet  bool
	lines  *report.Lines // nil: no JSON
	log    zerolog.Logger
	file   *os.File // of the log
}

// open makes the output of c.
func (o *outputFlags) open(c *cobra.Command) (*output, error) {
	out := &output{stdout: &resultWriter{w: c.OutOrStdout()}, stderr: c.ErrOrStderr(), quiet: o.quiet}
	tty := isTerminal(out.stderr)
	out.colour = *o.colour == "always" || *o.colour == "auto" && tty && os.Getenv("NO_COLOR") == ""
	if o.json {
		out.lines = report.New(out.stdout, time.Now)
	}
	switch *o.progress {
	case "bar":
		out.live()
	case "plain":
		out.plain = true
	case "auto":
		if o.json || o.quiet {
			break
		}
		if tty && os.Getenv("TERM") != "dumb" {
			out.live()
		} else {
			out.plain = true
		}
	}
	return out, out.openLog(o)
}

// live puts a screen before stderr; into what is no terminal plain lines go
// instead.
func (out *output) live() {
	f, ok := out.stderr.(*os.File)
	if !ok || !isTerminal(f) {
		out.plain = true
		return
	}
	out.screen = view.NewScreen(f, func() (int, int) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil || width < 2 || height < 2 {
			return 80, 24
		}
		return width, height
	})
	out.stderr = out.screen
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (out *output) openLog(o *outputFlags) error {
	level := [...]zerolog.Level{zerolog.WarnLevel, zerolog.InfoLevel, zerolog.DebugLevel}[min(o.verbose, 2)]
	to, colour := out.stderr, out.colour
	if o.log != "" {
		f, err := os.OpenFile(o.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			return fail(exitCreate, err)
		}
		out.file, to, colour = f, f, false
		var once sync.Once
		zerolog.ErrorHandler = func(err error) { once.Do(func() { out.warn(fmt.Sprintf("the log cannot be written: %v", err)) }) }
	} else if o.quiet {
		level = zerolog.ErrorLevel
	}
	if *o.logFormat == "text" {
		to = zerolog.ConsoleWriter{Out: to, NoColor: !colour, TimeFormat: time.TimeOnly}
	}
	out.log = zerolog.New(to).Level(level).With().Timestamp().Logger()
	return nil
}

// close leaves the screen as it stands.
func (out *output) close() {
	if out.screen != nil {
		out.screen.Close()
	}
	if out.file != nil {
		out.file.Close()
	}
}

// warn tells the user something that is no failure.
func (out *output) warn(text string) {
	if out.lines != nil {
		out.lines.Warning(text)
	}
	if !out.quiet {
		fmt.Fprintf(out.stderr, "kouzui: warning: %s\n", oneLine(errors.New(text)))
	}
}

// say tells the user how things stand.
func (out *output) say(format string, args ...any) {
	if !out.quiet && out.lines == nil {
		fmt.Fprintf(out.stderr, format+"\n", args...)
	}
}

// result writes a line of results for people; programs have their own.
func (out *output) result(format string, args ...any) {
	if out.lines == nil {
		fmt.Fprintf(out.stdout, format+"\n", args...)
	}
}

// resultWriter is stdout. It remembers that nobody reads it any more.
type resultWriter struct {
	w io.Writer

	mu  sync.Mutex
	err error
}

func (r *resultWriter) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.err = err
	}
	return n, err
}

func (r *resultWriter) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// brokenPipe tells that err is only that nobody reads what we write.
func brokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
