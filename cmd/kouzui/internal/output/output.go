// Package output is where a command writes to: results and JSON go to stdout,
// progress and logs to stderr.
package output

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/outfile"
	"kouzui/cmd/kouzui/internal/paint"
	"kouzui/cmd/kouzui/internal/report"
	"kouzui/cmd/kouzui/internal/view"
)

// Flags say what is shown, and where.
type Flags struct {
	JSON      bool
	progress  *string
	colour    *string
	quiet     bool
	verbose   int
	log       string
	logFormat *string
}

// Bind adds the flags to c, as a group of the help. Only a command that writes
// JSON has --json.
func (o *Flags) Bind(c *cobra.Command, json bool) {
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		if json {
			f.BoolVar(&o.JSON, "json", false, "write JSON to stdout")
		}
		o.progress = flags.Choose(c, "progress", "show the progress on stderr in this `FORM`: %s", "auto", "bar", "plain", "none")
		o.colour = flags.Colour(c)
		f.BoolVarP(&o.quiet, "quiet", "q", false, "show errors only")
		f.CountVarP(&o.verbose, "verbose", "v", "log more to stderr; -vv logs even more")
		f.StringVar(&o.log, "log", "", "write the log to `FILE` instead of stderr")
		o.logFormat = flags.Choose(c, "log-format", "`FORMAT` of the log: %s", "text", "json")
	})
}

// Output is what a command writes to.
type Output struct {
	Stdout *Results
	Stderr io.Writer     // above the live view, if there is one
	Screen *view.Screen  // nil if there is no live view
	Plain  bool          // progress is shown as plain lines
	Colour bool          // on stderr
	Quiet  bool          // only errors are shown
	Lines  *report.Lines // nil unless the results are JSON
	Log    zerolog.Logger

	terminal io.Writer // stderr itself, to know how wide it is
	logFile  *os.File
	unfollow func() // ends what draws the screen again
}

// Open makes the output of c.
func (o *Flags) Open(c *cobra.Command) (*Output, error) {
	out := &Output{Stdout: NewResults(c.OutOrStdout()), Stderr: c.ErrOrStderr(), Quiet: o.quiet}
	out.terminal = out.Stderr
	tty := isTerminal(out.Stderr)
	out.Colour = coloured(*o.colour, out.Stderr)
	if o.JSON {
		out.Lines = report.New(out.Stdout, time.Now)
	}
	switch *o.progress {
	case "bar":
		out.live()
	case "plain":
		out.Plain = true
	case "auto":
		if o.JSON || o.quiet {
			break
		}
		if tty && os.Getenv("TERM") != "dumb" {
			out.live()
		} else {
			out.Plain = true
		}
	}
	return out, out.openLog(o)
}

// live puts a screen before stderr. If stderr is no terminal, progress is shown
// as plain lines instead.
func (out *Output) live() {
	f, ok := out.Stderr.(*os.File)
	if !ok || !isTerminal(f) {
		out.Plain = true
		return
	}
	out.Screen = view.NewScreen(f, func() (int, int) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil || width < 2 || height < 2 {
			return 80, 24
		}
		return width, height
	})
	out.Screen.Away = func() bool { return inBackground(f) }
	out.unfollow = follow(out.Screen)
	out.Stderr = out.Screen.Above(f)
	if isTerminal(out.Stdout.w) { // most likely the same one
		out.Stdout.w = out.Screen.Above(out.Stdout.w)
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := file(w)
	return ok && term.IsTerminal(int(f.Fd()))
}

// file is the file that w writes to, if it is one.
func file(w io.Writer) (*os.File, bool) {
	if r, ok := w.(*Results); ok {
		w = r.w
	}
	f, ok := w.(*os.File)
	return f, ok
}

// coloured says whether what goes to w has colours, if --color is when.
func coloured(when string, w io.Writer) bool {
	return when == "always" || when == "auto" && isTerminal(w) && os.Getenv("NO_COLOR") == ""
}

// ColouredResults says whether the results on stdout have colours, if --color
// is when.
func ColouredResults(c *cobra.Command, when string) bool { return coloured(when, c.OutOrStdout()) }

func (out *Output) openLog(o *Flags) error {
	level := [...]zerolog.Level{zerolog.WarnLevel, zerolog.InfoLevel, zerolog.DebugLevel}[min(o.verbose, 2)]
	to, colour := out.Stderr, out.Colour
	if o.log != "" {
		f, err := outfile.Open(o.log, outfile.Log)
		if err != nil {
			return err
		}
		out.logFile, to, colour = f, f, false
		var once sync.Once
		zerolog.ErrorHandler = func(err error) {
			once.Do(func() { out.Warn("the log is incomplete: " + exit.Words(err)) })
		}
	} else if o.quiet {
		level = zerolog.ErrorLevel
	}
	if *o.logFormat == "text" {
		to = console(to, colour)
	}
	out.Log = zerolog.New(to).Level(level).With().Timestamp().Logger()
	return nil
}

// console writes the log as text. Of the library's colours, those of levels and
// of the names of fields cannot all be read on a white terminal.
func console(w io.Writer, colour bool) io.Writer {
	p := paint.Paint(colour)
	field := func(name any) string { return p.Faint(fmt.Sprint(name, "=")) }
	return zerolog.ConsoleWriter{Out: w, NoColor: !colour, TimeFormat: time.TimeOnly, FormatFieldName: field, FormatErrFieldName: field, FormatLevel: func(v any) string {
		level, _ := zerolog.ParseLevel(fmt.Sprint(v))
		switch name := zerolog.FormattedLevels[level]; {
		case level >= zerolog.ErrorLevel:
			return p.Failure(name)
		case level == zerolog.WarnLevel:
			return p.Warning(name)
		default:
			return p.Bold(name)
		}
	}}
}

// Close leaves the live view as it stands.
func (out *Output) Close() {
	if out.Screen != nil {
		out.unfollow()
		out.Screen.Close()
	}
	if out.logFile != nil {
		out.logFile.Close()
	}
}

// Warn tells the user of something that is no failure.
func (out *Output) Warn(text string) {
	if out.Lines != nil {
		out.Lines.Warning(text)
	}
	if !out.Quiet {
		fmt.Fprintf(out.Stderr, "kouzui: warning: %s\n", exit.OneLine(errors.New(text)))
	}
}

// Say tells the user, on stderr, how things stand.
func (out *Output) Say(format string, args ...any) {
	if out.Quiet || out.Lines != nil {
		return
	}
	const hang = 4 // cells before the rest of a line that is too wide
	fmt.Fprintln(out.Stderr, paint.Wrap(fmt.Sprintf(format, args...), Width(out.terminal), hang))
}

// Result writes a line of results, unless the results are JSON.
func (out *Output) Result(format string, args ...any) {
	if out.Lines == nil {
		fmt.Fprintf(out.Stdout, format+"\n", args...)
	}
}

// Results is stdout. It remembers that a write failed: the reader may have
// gone.
type Results struct {
	w io.Writer

	mu    sync.Mutex
	begun bool
	err   error
}

func (r *Results) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun = true
	if err != nil && r.err == nil {
		r.err = err
	}
	return n, err
}

// Begun tells whether something was written, or a write has failed.
func (r *Results) Begun() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.begun
}

// NewResults writes to w, which may be one already.
func NewResults(w io.Writer) *Results {
	if r, ok := w.(*Results); ok {
		return r
	}
	return &Results{w: w}
}

// Err is the first error of a write.
func (r *Results) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
