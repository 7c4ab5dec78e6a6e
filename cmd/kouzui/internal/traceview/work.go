package traceview

import (
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/work"
)

// mostFlows is how many rows the table of who sends what to whom has, the
// busiest first.
const mostFlows = 20

// span is what one process did in one span, by kind.
type span struct {
	process string
	end     time.Time
	work.Span
}

// spans collects what a trace tells of work.
type spans struct {
	list []*span
	last map[string]*span // of each process
}

func (s *spans) add(e *event.Event) {
	if e.Work == nil {
		return
	}
	if s.last == nil {
		s.last = map[string]*span{}
	}
	one := s.last[e.Actor]
	if one == nil || !one.end.Equal(e.Time) {
		one = &span{process: e.Actor, end: e.Time}
		s.last[e.Actor] = one
		s.list = append(s.list, one)
	}
	one.Add(e.ActorKind, e.Work)
}

// still is below which part of its highest rate a process is said to rest:
// blocks come late, and are asked for again.
const still = 0.02

// moving are the spans in which each process downloaded; of those that never
// did the spans in which it sent payload, or hashed; else all.
func moving(list []*span) []*span {
	var some []*span
	of := byProcess(list)
	for _, root := range slices.Sorted(maps.Keys(of)) {
		some = append(some, active(of[root])...)
	}
	return some
}

func byProcess(list []*span) map[string][]*span {
	of := map[string][]*span{}
	for _, one := range list {
		of[one.process] = append(of[one.process], one)
	}
	return of
}

// active are the moving spans of one process.
func active(list []*span) []*span {
	for _, message := range []string{"StoreBlocks", "FramesSent", "Batch"} {
		most := 0.0
		for _, one := range list {
			most = max(most, one.rate(message))
		}
		if most > 0 {
			return slices.DeleteFunc(slices.Clone(list), func(one *span) bool { return one.rate(message) < still*most })
		}
	}
	return list
}

// rate is how many messages of a type were handled in a second.
func (s *span) rate(message string) float64 {
	n := uint64(0)
	for kind := range s.Kinds {
		n += s.messages(kind, message)
	}
	return work.Part(time.Duration(n), s.Length)
}

// sum adds up the work of spans.
func sum(list []*span) ([]work.Worker, []work.Flow) {
	spans := make([]*work.Span, len(list))
	for i, one := range list {
		spans[i] = &one.Span
	}
	return work.Sum(spans)
}

// writeWork writes tables for people.
func writeWork(w io.Writer, workers []work.Worker, flows []work.Flow) error {
	if len(workers) == 0 {
		_, err := fmt.Fprintln(w, "\nwork: none was measured")
		return err
	}
	fmt.Fprintln(w, "\nwork while payload moved, of all actors of a kind, as a part of one core")
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\t\t\tbusiest\t\twait\twait\ttakes\ttakes\t")
	fmt.Fprintln(t, "kind\tmessages\tbusy\tactor\tqueue\tmedian\t99 %\tmedian\t99 %\t")
	for _, k := range workers {
		if k.Device {
			fmt.Fprintf(t, "%s\t\t%s\t\t\t\t\t\t\t\n", clean(k.Kind), percent(k.Busy))
			continue
		}
		if k.Handled == 0 {
			fmt.Fprintf(t, "%s\t0\t%s\t%s\t%.2g\t-\t-\t-\t-\t\n", clean(k.Kind), percent(k.Busy), percent(k.Busiest), k.Queue)
			continue
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%.2g\t%s\t%s\t%s\t%s\t\n", clean(k.Kind), k.Handled,
			percent(k.Busy), percent(k.Busiest), k.Queue, short(k.Wait), short(k.Wait99), short(k.Took), short(k.Took99))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(flows) == 0 {
		_, err := fmt.Fprintln(w, "\nwho sends what to whom: no message was measured")
		return err
	}
	fmt.Fprintln(w, "\nwho sends what to whom")
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range flows[:min(len(flows), mostFlows)] {
		fmt.Fprintf(t, "%d\t%s\t-> %s\t%s\t%s\n", f.Count, clean(f.From), clean(f.To), clean(f.Message), percent(f.Busy))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if more := len(flows) - mostFlows; more > 0 {
		fmt.Fprintf(w, "%s, which --json has\n", count(more, "flow", "more"))
	}
	return nil
}

func percent(part float64) string {
	if part > 0 && part < 0.001 {
		return "<0.1 %"
	}
	return fmt.Sprintf("%.1f %%", 100*part)
}

// short is a time with two digits.
func short(us float64) string {
	d := time.Duration(us * 1000)
	for unit := time.Duration(1e12); unit >= 1; unit /= 10 {
		if d >= unit*10 {
			return d.Round(unit).String()
		}
	}
	return d.String()
}

// messages is how many messages of a type were handled by a kind in a span.
func (s *span) messages(kind, message string) (n uint64) {
	if w := s.Kinds[kind]; w != nil {
		for _, f := range w.Flows {
			if f.Message == message {
				n += f.Count
			}
		}
	}
	return n
}

// Moved adds up, of the events of one process, the work of each kind while
// payload moved.
func Moved(events iter.Seq[*event.Event]) map[string]*event.Work {
	s := spans{}
	for e := range events {
		if e.Kind == event.Worked {
			s.add(e)
		}
	}
	kinds := map[string]*event.Work{}
	for _, one := range moving(s.list) {
		for kind, w := range one.Kinds {
			if kinds[kind] == nil {
				kinds[kind] = &event.Work{}
			}
			kinds[kind].Merge(w)
		}
	}
	return kinds
}
