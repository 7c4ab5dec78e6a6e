package trace

import (
	"bufio"
	"errors"
	"io"
	"time"

	"github.com/rs/zerolog"

	"kouzui/actors/runtime/event"
)

// Version names the format that File writes and Read reads.
const Version = "kouzui-trace/1"

// Header is the first line of a trace file.
type Header struct {
	Version       string            `json:"version"`
	Run           string            `json:"run"`   // identifies the run
	Build         string            `json:"build"` // of the program
	Configuration map[string]string `json:"configuration"`
	Clock         string            `json:"clock"`      // "real" or "virtual"
	StartedAt     time.Time         `json:"started_at"` // by that clock
}

// File writes a trace as JSON lines: a header, then one event a line. The
// format stands in testdata/TRACE.md, and as a JSON Schema beside it.
//
// Times are whole microseconds since started_at, durations end in _us; fields
// that say nothing are left out. A stack is given by a number; its text stands
// in stack_text where the number first occurs.
type File struct {
	*queue
	out     *bufio.Writer
	log     zerolog.Logger
	started time.Time
	stacks  map[string]int // number of each
	err     error          // the first; the goroutine of the queue owns it until it is done

	lastStack int // number of the last new one
}

// maxStacks bounds how many stacks are remembered. When there are more, all are
// forgotten, and each gets a new number when it occurs again.
const maxStacks = 4096

// ErrUnfinished means that the writer was too slow for the end of the trace.
var ErrUnfinished = errors.New("the end of the trace was not written in time")

// NewFile writes to w. No other code may write to w until Close has returned;
// Close does not close w.
func NewFile(w io.Writer, h Header) *File { return newFile(w, h, backlog) }

func newFile(w io.Writer, h Header, size int) *File {
	f := begin(w, h)
	f.queue = newQueue(size, f.line, f.flush)
	return f
}

// begin writes the header.
func begin(w io.Writer, h Header) *File {
	f := &File{out: bufio.NewWriter(w), started: h.StartedAt, stacks: map[string]int{}}
	f.log = zerolog.New(writer{f})
	if h.Configuration == nil {
		h.Configuration = map[string]string{}
	}
	f.log.Log().
		Str("kind", string(event.Header)).
		Str("version", Version).
		Str("run", h.Run).
		Str("build", h.Build).
		Interface("configuration", h.Configuration).
		Str("clock", h.Clock).
		Str("started_at", h.StartedAt.Format(time.RFC3339Nano)).
		Send()
	return f
}

// Direct writes the same as File, but on the goroutine that records, so that
// nothing is lost: for simulated worlds, which can wait for a slow disk.
type Direct struct{ file *File }

// NewDirect writes to w, which is not closed.
func NewDirect(w io.Writer, h Header) *Direct { return &Direct{begin(w, h)} }

// Record implements event.Sink.
func (d *Direct) Record(e *event.Event) { d.file.line(e) }

// Close writes what is left and returns the first error of the writer.
func (d *Direct) Close() error {
	d.file.flush()
	return d.file.err
}

// Close writes what is left and returns the first error of the writer. It waits
// no longer than a second for a writer that is stuck.
func (f *File) Close() error {
	if !f.close() {
		return ErrUnfinished
	}
	return f.err
}

func (f *File) flush() { f.note(f.out.Flush()) }

func (f *File) note(err error) {
	if f.err == nil {
		f.err = err
	}
}

// writer keeps errors from zerolog, which would print each of them.
type writer struct{ *File }

func (w writer) Write(line []byte) (int, error) {
	_, err := w.out.Write(line)
	w.note(err)
	return len(line), nil
}

func (f *File) line(e *event.Event) {
	l := f.log.Log().
		Str("kind", string(e.Kind)).
		Uint64("seq", e.Seq).
		Int64("time", e.Time.Sub(f.started).Microseconds())
	text(l, "actor", e.Actor)
	number(l, "incarnation", e.Incarnation)
	if e.Cause > 0 {
		l.Uint64("cause", e.Cause)
	}
	if e.Origin > 0 {
		l.Uint64("origin", e.Origin)
	}
	text(l, "actor_kind", e.ActorKind)
	if e.Kind == event.Spawned { // of other kinds the reader knows it by the path
		text(l, "parent", e.Parent)
	}
	text(l, "strategy", e.Strategy)
	text(l, "reason", e.Reason)
	text(l, "message_type", e.MessageType)
	f.stack(l, e.Stack)
	text(l, "action", string(e.Action))
	number(l, "attempt", e.Attempt)
	if e.Action == event.ActionRestart && e.BudgetLeft >= 0 {
		l.Int("budget_left", e.BudgetLeft)
	}
	number(l, "delay_us", e.Delay.Microseconds())
	number(l, "down_us", e.Down.Microseconds())
	number(l, "kept", e.Kept)
	number(l, "lost", e.Lost)
	number(l, "depth", e.Depth)
	number(l, "waited_us", e.Waited.Microseconds())
	text(l, "note", e.Note)
	if len(e.Detail) > 0 {
		d := zerolog.Dict()
		for _, item := range e.Detail {
			detail(d, item)
		}
		l.Dict("detail", d)
	}
	if e.Work != nil {
		l.Interface("work", e.Work)
	}
	l.Send()
}

func detail(l *zerolog.Event, d event.Detail) {
	if d.Numeric {
		l.Int64(d.Key, d.Number)
	} else {
		l.Str(d.Key, d.Text)
	}
}

func (f *File) stack(l *zerolog.Event, stack string) {
	if stack == "" {
		return
	}
	id, known := f.stacks[stack]
	if !known {
		if len(f.stacks) == maxStacks {
			clear(f.stacks)
		}
		f.lastStack++
		id = f.lastStack
		f.stacks[stack] = id
		l.Str("stack_text", stack)
	}
	l.Int("stack", id)
}

func text(l *zerolog.Event, key, value string) {
	if value != "" {
		l.Str(key, value)
	}
}

func number[T int | int64](l *zerolog.Event, key string, value T) {
	if value != 0 {
		l.Int64(key, int64(value))
	}
}
