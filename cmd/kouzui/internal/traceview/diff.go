package traceview

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/runtime/units"
)

// Diff compares two runs event by event, up to the first difference.
// Differences of the headers are shown only; they do not make the runs differ.
//
// Without Times, everything that depends on timing is left out: times,
// durations, the lengths of mailboxes, and all samples of mailboxes. Events are
// then numbered without the samples.
type Diff struct {
	A, B  *trace.Reader
	Names [2]string // for errors
	Times bool

	Common int             // events that are the same
	Parted [2]*event.Event // nil: the run ends here
	Fields []string        // in which they differ
}

// Same says whether the runs are equal.
func (d *Diff) Same() bool { return d.Parted == [2]*event.Event{} }

// Run reads both traces up to the first difference.
func (d *Diff) Run() error {
	a, b := &side{r: d.A, times: d.Times}, &side{r: d.B, times: d.Times}
	for {
		x, err := a.next()
		if err != nil {
			return fmt.Errorf("%s: %w", d.Names[0], err)
		}
		y, err := b.next()
		if err != nil {
			return fmt.Errorf("%s: %w", d.Names[1], err)
		}
		if x == nil && y == nil {
			return nil
		}
		if x != nil && y != nil {
			d.Fields = differing(a.facts(x), b.facts(y))
			if len(d.Fields) == 0 {
				d.Common++
				continue
			}
		}
		d.Parted = [2]*event.Event{x, y}
		return nil
	}
}

// side is one of the two runs.
type side struct {
	r       *trace.Reader
	times   bool
	skipped []uint64 // samples
}

func (s *side) next() (*event.Event, error) {
	for {
		e, err := s.r.Next()
		switch {
		case err == io.EOF:
			return nil, nil
		case err != nil:
			return nil, err
		case e.Kind == event.Mailbox && !s.times:
			s.skipped = append(s.skipped, e.Seq)
		default:
			return e, nil
		}
	}
}

// number is seq as if there were no samples.
func (s *side) number(seq uint64) uint64 {
	before, _ := slices.BinarySearch(s.skipped, seq)
	return seq - uint64(before)
}

type fact struct{ name, value string }

// facts are the fields of an event that are compared.
func (s *side) facts(e *event.Event) []fact {
	list := []fact{
		{"kind", string(e.Kind)},
		{"seq", fmt.Sprint(s.number(e.Seq))},
		{"actor", e.Actor},
		{"incarnation", fmt.Sprint(e.Incarnation)},
		{"cause", fmt.Sprint(s.number(e.Cause))},
		{"origin", fmt.Sprint(s.number(e.Origin))},
		{"actor_kind", e.ActorKind},
		{"strategy", e.Strategy},
		{"reason", e.Reason},
		{"message_type", e.MessageType},
		{"stack_text", e.Stack},
		{"action", string(e.Action)},
		{"attempt", fmt.Sprint(e.Attempt)},
		{"budget_left", fmt.Sprint(e.BudgetLeft)},
		{"note", e.Note},
		{"detail", strings.TrimPrefix(details(e.Detail), " ")},
	}
	if !s.times {
		return list
	}
	return append(list,
		fact{"time", fmt.Sprint(e.Time.Sub(s.r.Header.StartedAt).Microseconds())},
		fact{"delay_us", fmt.Sprint(e.Delay.Microseconds())},
		fact{"down_us", fmt.Sprint(e.Down.Microseconds())},
		fact{"waited_us", fmt.Sprint(e.Waited.Microseconds())},
		fact{"kept", fmt.Sprint(e.Kept)},
		fact{"lost", fmt.Sprint(e.Lost)},
		fact{"depth", fmt.Sprint(e.Depth)},
	)
}

// differing lists the facts that differ.
func differing(a, b []fact) (list []string) {
	for i := range a {
		if a[i] != b[i] {
			list = append(list, fmt.Sprintf("%s: %s | %s", a[i].name, quoted(a[i].value), quoted(b[i].value)))
		}
	}
	return list
}

func quoted(s string) string {
	if s == "" {
		return "nothing"
	}
	return clean(s)
}

// DiffIndent is how many cells stand before the lines of events.
const DiffIndent = 3

// Write tells the first difference.
func (d *Diff) Write(w io.Writer, p Paint) error {
	var b strings.Builder
	for _, line := range d.headers() {
		fmt.Fprintf(&b, "%s\n", p.warning(line))
	}
	if d.Same() {
		fmt.Fprintf(&b, "the runs are the same: %s\n", units.Count(d.Common, "event"))
	} else {
		fmt.Fprintf(&b, "the runs differ after %s\n", units.Count(d.Common, "equal event"))
		for i, e := range d.Parted {
			start := [2]time.Time{d.A.Header.StartedAt, d.B.Header.StartedAt}[i]
			if e == nil {
				fmt.Fprintf(&b, "  %s  %s\n", "AB"[i:i+1], p.warning("ends here"))
				continue
			}
			fmt.Fprintf(&b, "  %s%s\n", "AB"[i:i+1], p.Line(e, start))
		}
		for _, f := range d.Fields {
			fmt.Fprintf(&b, "     %s\n", f)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// headers lists the differences of the headers.
func (d *Diff) headers() (list []string) {
	a, b := d.A.Header, d.B.Header
	if a.Build != b.Build {
		list = append(list, fmt.Sprintf("build: %s | %s", quoted(a.Build), quoted(b.Build)))
	}
	if a.Clock != b.Clock {
		list = append(list, fmt.Sprintf("clock: %s | %s", quoted(a.Clock), quoted(b.Clock)))
	}
	keys := map[string]bool{}
	for k := range a.Configuration {
		keys[k] = true
	}
	for k := range b.Configuration {
		keys[k] = true
	}
	var changed []string
	for k := range keys {
		if x, y := a.Configuration[k], b.Configuration[k]; x != y {
			changed = append(changed, fmt.Sprintf("%s: %s | %s", clean(k), quoted(x), quoted(y)))
		}
	}
	sort.Strings(changed)
	return append(list, changed...)
}
