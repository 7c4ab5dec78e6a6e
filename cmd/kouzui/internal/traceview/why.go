package traceview

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/runtime/units"
)

// Causes finds the events that led to event number seq, the first cause first
// and that event last. It keeps two numbers for each event.
func Causes(r *trace.Reader, seq uint64) ([]uint64, error) {
	type link struct{ seq, cause uint64 }
	var links []link
	for e := range r.Events() {
		if e.Seq > seq {
			break
		}
		links = append(links, link{e.Seq, e.From()})
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	var chain []uint64
	for at := seq; at != 0; {
		i, found := slices.BinarySearchFunc(links, at, func(l link, n uint64) int {
			return int(int64(l.seq) - int64(n))
		})
		if !found {
			return chain, fmt.Errorf("there is no event %d", at)
		}
		chain = append(chain, at)
		if links[i].cause >= at {
			return nil, fmt.Errorf("event %d is caused by event %d, which comes later", at, links[i].cause)
		}
		at = links[i].cause
	}
	slices.Reverse(chain)
	return chain, nil
}

// WriteChain writes the events of a chain, from a second reading of the same
// trace.
func (p Paint) WriteChain(w io.Writer, r *trace.Reader, chain []uint64) error {
	for e := range r.Events() {
		if len(chain) == 0 {
			break
		}
		if e.Seq != chain[0] {
			continue
		}
		chain = chain[1:]
		if _, err := fmt.Fprintln(w, p.Line(e, r.Header.StartedAt)+p.Stack(e)); err != nil {
			return err
		}
	}
	return r.Err()
}

// Stack is the call stack of a failure, on lines of its own, each behind a
// newline.
func (p Paint) Stack(e *event.Event) string {
	var b strings.Builder
	for frame := range strings.Lines(e.Stack) {
		b.WriteString("\n" + strings.Repeat(" ", 26) + p.faint(clean(strings.TrimSuffix(frame, "\n"))))
	}
	return b.String()
}

// Match says whether a path matches a pattern, in which * matches any text.
func Match(pattern, path string) bool {
	first, rest, found := strings.Cut(pattern, "*")
	if !found {
		return pattern == path
	}
	path, ok := strings.CutPrefix(path, first)
	if !ok {
		return false
	}
	for {
		part, more, found := strings.Cut(rest, "*")
		if !found {
			return strings.HasSuffix(path, part)
		}
		i := strings.Index(path, part)
		if i < 0 {
			return false
		}
		path, rest = path[i+len(part):], more
	}
}

// Moment reads a time of a run: a duration since its start, or a date and time
// (RFC 3339).
func Moment(s string, start time.Time) (time.Time, error) {
	if d, err := units.ParseDuration(s); err == nil && d >= 0 {
		return start.Add(d), nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, fmt.Errorf("%q is neither a time since the start, such as 1m30s, nor a date and time, such as 2026-01-31T12:00:00Z", s)
	}
	return t, nil
}
