package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/cmd/kouzui/internal/traceview"
)

func newTrace() *cobra.Command {
	c := &cobra.Command{
		Use:   "trace",
		Short: "Look into a supervision trace",
		Long: `Look into what --trace has written: the tree of actors at any time of the run, why
something happened, how often and for how long actors were down, and where two runs
part. FILE is a path, or - for stdin. A last line that a crash cut short is passed
over with a warning.`,
		Example: `  kouzui download debian.torrent --trace run.trace
  kouzui trace tree run.trace --at 12s
  kouzui trace stats run.trace`,
		Args: noSuchCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newTraceTree(), newTraceTail(), newTraceWhy(), newTraceStats(), newTraceDiff(), newTraceExport())
	return c
}

func newTraceTree() *cobra.Command {
	var (
		at     string
		actor  string
		all    bool
		colour *string
	)
	c := &cobra.Command{
		Use:   "tree FILE",
		Short: "Show the tree of actors at a time of the run",
		Long: `Show the actors that live at --at, or at the end of the file: the state of each, how
often it was restarted, how long it was down, and its last failure. When nobody lives
any more, it shows who did.`,
		Example: `  kouzui trace tree run.trace
  kouzui trace tree run.trace --at 1m30s
  kouzui trace tree swarm.trace --actor 'peer-003*'`,
		Args: arguments(1, 1, "one trace file"),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := openTrace(c, args[0])
			if err != nil {
				return err
			}
			defer f.close()
			tree := traceview.Tree{Header: f.Header, At: f.Header.StartedAt, All: all, Paint: paint(c, *colour)}
			replay := trace.Replay{Keep: true}
			until := time.Time{}
			if at != "" {
				if until, err = traceview.Moment(at, f.Header.StartedAt); err != nil {
					return usagef("", "--at %w", err)
				}
				tree.At = until
			}
			for e := range f.Events() {
				if at != "" && e.Time.After(until) {
					break
				}
				if at == "" {
					tree.At = e.Time
				}
				replay.Apply(e)
			}
			if err := f.end(); err != nil {
				return err
			}
			tree.Lives = slices.DeleteFunc(replay.Lives(), func(l trace.Life) bool { return !traceview.Match(actor, l.Path) })
			return tree.Write(c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&at, "at", "", "`TIME` since the start, or a date and time (default the end of the file)")
	c.Flags().BoolVar(&all, "all", false, "show each actor that has stopped, too")
	bindActor(c, &actor)
	colour = bindColour(c)
	return c
}

func newTraceWhy() *cobra.Command {
	var colour *string
	c := &cobra.Command{
		Use:   "why FILE SEQ",
		Short: "Show what led to an event, the first cause first",
		Example: `  kouzui trace tail run.trace --kind failed,restarted
  kouzui trace why run.trace 117`,
		Args: arguments(2, 2, "a trace file and the number of an event"),
		RunE: func(c *cobra.Command, args []string) error {
			seq, err := strconv.ParseUint(strings.TrimPrefix(args[1], "#"), 10, 64)
			if err != nil || seq == 0 {
				return usagef("", "%q is no number of an event", args[1])
			}
			path, remove, err := spooled(c, args[0])
			if err != nil {
				return err
			}
			defer remove()
			return why(c, args[0], path, seq, paint(c, *colour))
		},
	}
	colour = bindColour(c)
	return c
}

// why reads the trace twice: events lead back, and a file is read forwards.
func why(c *cobra.Command, name, path string, seq uint64, p traceview.Paint) error {
	f, err := openTraceAs(c, name, path)
	if err != nil {
		return err
	}
	chain, err := traceview.Causes(f.Reader, seq)
	f.close()
	if err != nil {
		return failf(exitOther, "%s: %w", name, err)
	}
	again, err := openTraceAs(c, name, path)
	if err != nil {
		return err
	}
	defer again.close()
	return p.WriteChain(c.OutOrStdout(), again.Reader, chain)
}

func newTraceStats() *cobra.Command {
	var (
		asJSON bool
		actor  string
		colour *string
	)
	c := &cobra.Command{
		Use:   "stats FILE",
		Short: "Sum up failures, restarts and mailboxes by kind of actor",
		Example: `  kouzui trace stats run.trace
  kouzui trace stats run.trace --json | jq .total.mean_time_to_repair_us`,
		Args: arguments(1, 1, "one trace file"),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := openTrace(c, args[0])
			if err != nil {
				return err
			}
			defer f.close()
			s, _ := traceview.Count(f.Reader, actor)
			if err := f.end(); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(s)
			}
			return s.Write(c.OutOrStdout(), paint(c, *colour))
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object")
	bindActor(c, &actor)
	colour = bindColour(c)
	return c
}

func newTraceDiff() *cobra.Command {
	var (
		times  bool
		colour *string
	)
	c := &cobra.Command{
		Use:   "diff A B",
		Short: "Find the first event in which two runs part",
		Long: `Compare two traces event by event, and show the first that differs. Which run it was
and when it began is not compared; nor, without --times, is anything that only says
when, how long, and how full a mailbox was. The exit code is 0 if the runs are the
same, 32 if they part.`,
		Example: `  kouzui trace diff monday.trace tuesday.trace
  kouzui trace diff --times seed7.trace again.trace`,
		Args: arguments(2, 2, "two trace files"),
		RunE: func(c *cobra.Command, args []string) error {
			if args[0] == "-" && args[1] == "-" {
				return usagef("", "there is only one stdin")
			}
			a, err := openTrace(c, args[0])
			if err != nil {
				return err
			}
			defer a.close()
			b, err := openTrace(c, args[1])
			if err != nil {
				return err
			}
			defer b.close()
			d := traceview.Diff{A: a.Reader, B: b.Reader, Names: [2]string(args), Times: times}
			if err := d.Run(); err != nil {
				return err
			}
			if err := errors.Join(a.end(), b.end()); err != nil {
				return err
			}
			if err := d.Write(c.OutOrStdout(), paint(c, *colour)); err != nil {
				return err
			}
			if !d.Same() {
				return failf(exitMismatch, "the runs part after %d events", d.Common)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&times, "times", false, "compare times, durations and mailboxes as well")
	colour = bindColour(c)
	return c
}

func newTraceExport() *cobra.Command {
	var (
		chrome bool
		to     string
	)
	c := &cobra.Command{
		Use:   "export --chrome FILE",
		Short: "Convert a trace for Perfetto and chrome://tracing",
		Long: `Write a trace in the Trace Event Format, which https://ui.perfetto.dev and
chrome://tracing open: each actor is a track with its incarnations as slices, arrows
lead from failures to restarts, and the depths of mailboxes are counters.`,
		Example: `  kouzui trace export --chrome run.trace -o run.json`,
		Args:    arguments(1, 1, "one trace file"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if !chrome {
				return usagef("Usage: "+c.UseLine(), "export needs a format: --chrome")
			}
			f, err := openTrace(c, args[0])
			if err != nil {
				return err
			}
			defer f.close()
			out := c.OutOrStdout()
			if to != "-" {
				file, err := os.Create(to)
				if err != nil {
					return fail(exitCreate, err)
				}
				defer func() { err = errors.Join(err, fail(exitIO, file.Close())) }()
				out = file
			}
			if err := traceview.Chrome(out, f.Reader); err != nil && f.Err() == nil {
				return err
			}
			return f.end()
		},
	}
	c.Flags().BoolVar(&chrome, "chrome", false, "in the Trace Event Format")
	c.Flags().StringVarP(&to, "output", "o", "-", "write to `FILE` (- is stdout)")
	return c
}

// bindActor is for patterns of traceview.Match.
func bindActor(c *cobra.Command, pattern *string) {
	c.Flags().StringVar(pattern, "actor", "*", "only actors whose path fits this `PATTERN`; a * stands for any text")
}

func bindColour(c *cobra.Command) *string {
	return choose(c, "color", "when to use colours", "auto", "always", "never")
}

// paint follows --color for stdout.
func paint(c *cobra.Command, colour string) traceview.Paint {
	return traceview.Paint(colour == "always" || colour == "auto" && isTerminal(c.OutOrStdout()) && os.Getenv("NO_COLOR") == "")
}

// kinds are the kinds of events that a trace file may have.
var kinds = []event.Kind{
	event.Spawned, event.Started, event.Failed, event.Directive, event.Restarting, event.Restarted,
	event.Escalated, event.Stopping, event.Stopped, event.DeadLetter, event.Mailbox, event.Fault,
	event.Dropped, event.Note,
}

// traceFile is a trace that a command reads.
type traceFile struct {
	*trace.Reader
	name string
	warn io.Writer
	file io.Closer
}

// openTrace opens a path, or stdin for "-".
func openTrace(c *cobra.Command, name string) (*traceFile, error) { return openTraceAs(c, name, name) }

// openTraceAs opens a path that stands for another name.
func openTraceAs(c *cobra.Command, name, path string) (*traceFile, error) {
	f := &traceFile{name: name, warn: c.ErrOrStderr(), file: io.NopCloser(nil)}
	in := c.InOrStdin()
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		in, f.file = file, file
	}
	r, err := trace.Read(in)
	if err != nil {
		f.close()
		return nil, badTrace(name, err)
	}
	f.Reader = r
	return f, nil
}

func badTrace(name string, err error) error {
	if err == io.ErrUnexpectedEOF {
		return failf(exitOther, "%s: it ends within its header", name)
	}
	var path *os.PathError
	if errors.As(err, &path) {
		return err
	}
	return failf(exitOther, "%s: %w", name, err)
}

// end checks that all was read that a command wanted.
func (f *traceFile) end() error {
	if err := f.Err(); err != nil {
		return badTrace(f.name, err)
	}
	if f.Torn() {
		fmt.Fprintf(f.warn, "kouzui: warning: %s: the last line is cut short\n", f.name)
	}
	return nil
}

func (f *traceFile) close() { f.file.Close() }

// spooled is a path at which the trace can be read more than once: stdin is
// kept in a file until remove is called.
func spooled(c *cobra.Command, name string) (path string, remove func(), err error) {
	if name != "-" {
		return name, func() {}, nil
	}
	file, err := os.CreateTemp("", "kouzui-trace-*")
	if err != nil {
		return "", nil, fail(exitCreate, err)
	}
	remove = func() { os.Remove(file.Name()) }
	_, err = io.Copy(file, c.InOrStdin())
	if err = errors.Join(err, file.Close()); err != nil {
		remove()
		return "", nil, fail(exitIO, err)
	}
	return file.Name(), remove, nil
}
