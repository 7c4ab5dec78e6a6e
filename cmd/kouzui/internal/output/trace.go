package output

import (
	"crypto/rand"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/outfile"
	"kouzui/cmd/kouzui/internal/version"
)

// Trace takes supervision events: the log always does, a file if there is one.
type Trace struct {
	Sinks   []event.Sink
	out     *Output
	closers []io.Closer
}

// OpenTrace makes the trace of command c. The path is that of the file, - for
// stdout, or "" for no file.
func (out *Output) OpenTrace(c *cobra.Command, path string) (*Trace, error) {
	console := trace.NewConsole(out.Log)
	t := &Trace{out: out, Sinks: []event.Sink{console}, closers: []io.Closer{console}}
	if path == "" {
		return t, nil
	}
	var to io.Writer = out.Stdout
	var file *os.File
	if path != "-" {
		f, err := outfile.Open(path, outfile.Trace)
		if err != nil {
			t.Close()
			return nil, err
		}
		to, file = f, f
	}
	written := trace.NewFile(to, trace.Header{
		Run: rand.Text(), Build: version.Build(),
		Configuration: configuration(c), Clock: "real", StartedAt: time.Now(),
	})
	t.Sinks = append(t.Sinks, written)
	t.closers = append(t.closers, written)
	if file != nil {
		t.closers = append(t.closers, file)
	}
	return t, nil
}

// private are the flags whose values may hold secrets. A trace says only that
// they are set.
var private = []string{"tracker", "only", "on-complete"}

// configuration is what the user has set, by flag.
func configuration(c *cobra.Command) map[string]string {
	set := map[string]string{"command": c.Name()}
	c.Flags().Visit(func(f *pflag.Flag) {
		set[f.Name] = f.Value.String()
		if slices.Contains(private, f.Name) {
			set[f.Name] = "set"
		}
	})
	return set
}

// Close writes what is left. The actors must have been shut down, or be about
// to end with the process.
func (t *Trace) Close() {
	for _, c := range t.closers {
		if err := c.Close(); err != nil && !exit.BrokenPipe(err) {
			t.out.Warn("the supervision trace is incomplete: " + exit.Words(err))
		}
	}
}
