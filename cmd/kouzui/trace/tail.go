package trace

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/interrupt"
	"kouzui/cmd/kouzui/internal/load"
	"kouzui/cmd/kouzui/internal/traceview"
)

// pollInterval is how often a followed file is checked for new events.
const pollInterval = 100 * time.Millisecond

func newTail() *cobra.Command {
	var (
		t      tail
		kind   []string
		colour *string
	)
	c := &cobra.Command{
		Use:   "tail FILE",
		Short: "Show the last events as sentences, and follow new ones",
		Long: `Show the last events, each as a sentence after its time and number. With
--follow, new events are shown as they are written to the file, until the run
ends or you interrupt the command.`,
		Example: `  kouzui trace tail run.trace -f
  kouzui trace tail run.trace -n 100 --kind failed,directive --actor '*/peers/*'`,
		Args: flags.Arguments(1, 1, "one trace file"),
		RunE: func(c *cobra.Command, args []string) error {
			for _, k := range kind {
				k = strings.TrimSpace(k)
				if !slices.Contains(kinds, event.Kind(k)) {
					return exit.Usagef("", "there are no events of kind %q", k)
				}
				t.kinds = append(t.kinds, event.Kind(k))
			}
			if t.last < 0 {
				return exit.Usagef("", "--lines cannot be negative")
			}
			ctx, done := interrupt.Context()
			defer done()
			t.out, t.paint = bufio.NewWriter(sentences(c, 0)), paint(c, *colour)
			if t.follow && regular(args[0]) {
				return t.live(ctx, args[0])
			}
			// Reading stdin or a pipe may block for ever, whatever ctx says.
			_, err := load.Within(ctx, func() (none struct{}, err error) { return none, t.once(c, args[0]) })
			if errors.Is(err, exit.ErrInterrupted) {
				return nil
			}
			return err
		},
	}
	f := c.Flags()
	f.BoolVarP(&t.follow, "follow", "f", false, "show new events as they are written")
	f.IntVarP(&t.last, "lines", "n", 10, "show the last `N` events first")
	f.StringSliceVar(&kind, "kind", nil, "only events of these `KINDS`, separated by commas")
	bindActor(c, &t.actor)
	colour = flags.Colour(c)
	return c
}

// regular tells whether path is that of a file which can grow.
func regular(path string) bool {
	info, err := os.Stat(path)
	return path != "-" && (err != nil || info.Mode().IsRegular())
}

// tail shows the end of a trace.
type tail struct {
	follow bool
	last   int
	kinds  []event.Kind
	actor  string
	out    *bufio.Writer
	paint  traceview.Paint
}

func (t *tail) wanted(e *event.Event) bool {
	return (len(t.kinds) == 0 || slices.Contains(t.kinds, e.Kind)) && traceview.Match(t.actor, e.Actor)
}

// once shows a file, a pipe or stdin to its end. With --follow, the events of a
// pipe or stdin are shown as they come.
func (t *tail) once(c *cobra.Command, name string) error {
	f, err := openTrace(c, name)
	if err != nil {
		return err
	}
	defer f.close()
	if t.follow {
		for e := range f.Events() {
			if err := t.show(e, f.Header); err != nil {
				return err
			}
			if err := t.out.Flush(); err != nil {
				return err
			}
		}
		return f.end()
	}
	var newest ring
	for e := range f.Events() {
		if t.wanted(e) {
			newest.put(e, t.last)
		}
	}
	if err := t.list(newest, f.Header); err != nil {
		return err
	}
	return f.end()
}

// ring holds the newest events; events[first] is the oldest of them.
type ring struct {
	events []*event.Event
	first  int
}

func (r *ring) put(e *event.Event, most int) {
	switch {
	case most == 0:
	case len(r.events) < most:
		r.events = append(r.events, e)
	default:
		r.events[r.first] = e
		r.first = (r.first + 1) % most
	}
}

func (t *tail) list(r ring, h trace.Header) error {
	for i := range r.events {
		if err := t.show(r.events[(r.first+i)%len(r.events)], h); err != nil {
			return err
		}
	}
	return t.out.Flush()
}

func (t *tail) show(e *event.Event, h trace.Header) error {
	if !t.wanted(e) {
		return nil
	}
	_, err := t.out.WriteString(t.paint.Line(e, h.StartedAt) + "\n")
	return err
}

// live shows a file that grows. If another run writes the file anew, the file
// is read from its start.
func (t *tail) live(ctx context.Context, path string) error {
	for {
		again, err := t.run(ctx, path)
		if err != nil || !again || ctx.Err() != nil {
			return err
		}
	}
}

// run follows one run to its end, or until the file is written anew.
func (t *tail) run(ctx context.Context, path string) (again bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	r, err := begun(ctx, path, file)
	if r == nil {
		return false, err
	}
	var (
		newest ring
		replay trace.Replay
		shown  bool // what the file held at first
		begins bool // an actor was spawned
	)
	for {
		e, err := r.Next()
		switch {
		case err == nil && shown:
			err = t.show(e, r.Header)
		case err == nil && t.wanted(e):
			newest.put(e, t.last)
		case err == io.EOF && !shown:
			shown, err = true, t.list(newest, r.Header)
		}
		switch {
		case err == nil:
			if e != nil {
				replay.Apply(e)
				begins = begins || e.Kind == event.Spawned
			}
			continue
		case err != io.EOF:
			return false, badTrace(path, err)
		}
		if err := t.out.Flush(); err != nil {
			return false, err
		}
		if begins && replay.Living() == 0 {
			return false, nil // the run is over
		}
		if !pause(ctx) {
			return false, nil
		}
		if shrunk(file) {
			return true, nil
		}
	}
}

// begun waits for the header. It returns nil if the user interrupts it before.
func begun(ctx context.Context, path string, file *os.File) (*trace.Reader, error) {
	for {
		r, err := trace.Read(file)
		if err == nil {
			return r, nil
		}
		size, seek := file.Seek(0, io.SeekEnd)
		if seek != nil || size > 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, badTrace(path, err)
		}
		if !pause(ctx) {
			return nil, nil
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
	}
}

func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pollInterval):
		return true
	}
}

// shrunk says whether the file is shorter than what was read of it.
func shrunk(file *os.File) bool {
	at, err := file.Seek(0, io.SeekCurrent)
	info, stat := file.Stat()
	return err == nil && stat == nil && info.Size() < at
}
