package traceview

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/charmbracelet/x/ansi"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/runtime/units"
	"kouzui/actors/runtime/work"
)

const (
	slowest    = 10 // mailboxes that are listed
	besidePath = 24 // columns of a wait and a depth before the path of a mailbox
)

// Stats sum a run up. Durations are in microseconds.
type Stats struct {
	V           int                `json:"v"`
	Run         string             `json:"run"`
	Seconds     float64            `json:"seconds"` // from the start to the last event
	Events      int                `json:"events"`
	ByKind      map[event.Kind]int `json:"events_by_kind"`
	Dropped     int                `json:"events_dropped"`
	DeadLetters int                `json:"dead_letters"`
	Total       Tally              `json:"total"`
	Kinds       []Tally            `json:"kinds"` // of actors, by name
	Mailboxes   []Slow             `json:"slowest_mailboxes"`
	Waited      int                `json:"mailboxes"` // in which messages waited, the slowest and the others
	Work        []work.Worker      `json:"work"`      // by kind of actor, the busiest first; empty if it was not measured
	Flows       []work.Flow        `json:"flows"`     // who sends what to whom, the most frequent first
}

// Tally sums up the actors of a kind.
type Tally struct {
	Kind     string `json:"kind,omitempty"`
	Spawned  int    `json:"spawned"`
	Faults   int    `json:"faults"`   // injected
	Failures int    `json:"failures"` // of the actors themselves, not in place of a child; of a root also that its process was ended
	Bugs     int    `json:"bugs"`     // failures that were neither by design nor injected
	Restarts int    `json:"restarts"`
	GivenUp  int    `json:"given_up"` // stopped because of a failure
	Repairs  int    `json:"repairs"`  // restarts that ended a failure, and processes that made up for one that was ended
	MTTR     int64  `json:"mean_time_to_repair_us"`
	Longest  int64  `json:"longest_repair_us"`
	Lost     int    `json:"messages_lost"`

	down time.Duration
}

// Slow is a mailbox in which messages waited.
type Slow struct {
	Actor  string `json:"actor"`
	Depth  int    `json:"depth"` // at most
	Waited int64  `json:"waited_us"`
}

// Count reads a trace to its end, and counts the events of actors whose path
// matches a pattern.
func Count(r *trace.Reader, actor string) (*Stats, error) {
	s := &Stats{V: 1, Run: r.Header.Run, ByKind: map[event.Kind]int{}, Kinds: []Tally{}, Mailboxes: []Slow{}}
	kinds := map[string]*Tally{}
	boxes := map[string]*Slow{}
	works := spans{}
	ill := illness{failed: map[string]bool{}, struck: map[string]bool{}}
	for e := range r.Events() {
		if e.Kind != event.Dropped && !Match(actor, e.Actor) {
			continue
		}
		s.Events++
		s.ByKind[e.Kind]++
		s.Seconds = e.Time.Sub(r.Header.StartedAt).Seconds()
		switch e.Kind {
		case event.Dropped:
			s.Dropped += e.Lost
			continue
		case event.DeadLetter:
			s.DeadLetters++
			continue
		case event.Worked: // of many actors, not of one
			works.add(e)
			continue
		case event.Mailbox, event.Failed:
			if e.Waited > 0 || e.Depth > 0 {
				b := boxes[e.Actor]
				if b == nil {
					b = &Slow{Actor: e.Actor}
					boxes[e.Actor] = b
				}
				b.Depth, b.Waited = max(b.Depth, e.Depth), max(b.Waited, e.Waited.Microseconds())
			}
		}
		k := kinds[e.ActorKind]
		if k == nil {
			k = &Tally{Kind: e.ActorKind}
			kinds[e.ActorKind] = k
		}
		k.count(e, ill)
	}
	s.Work, s.Flows = sum(moving(works.list))
	for _, k := range kinds {
		s.Total.add(k)
		s.Kinds = append(s.Kinds, k.mean())
	}
	s.Total = s.Total.mean()
	slices.SortFunc(s.Kinds, func(a, b Tally) int { return strings.Compare(a.Kind, b.Kind) })
	for _, b := range boxes {
		s.Mailboxes = append(s.Mailboxes, *b)
	}
	slices.SortFunc(s.Mailboxes, func(a, b Slow) int {
		return cmp.Or(cmp.Compare(b.Waited, a.Waited), cmp.Compare(b.Depth, a.Depth), strings.Compare(a.Actor, b.Actor))
	})
	s.Waited = len(s.Mailboxes)
	s.Mailboxes = s.Mailboxes[:min(len(s.Mailboxes), slowest)]
	return s, r.Err()
}

// illness is which actors have failed and are not restarted yet, and which are
// about to fail because of an injected fault.
type illness struct{ failed, struck map[string]bool }

func (t *Tally) count(e *event.Event, ill illness) {
	switch e.Kind {
	case event.Spawned:
		t.Spawned++
	case event.Fault:
		t.Faults++
		ill.struck[e.Actor] = true
	case event.Failed:
		t.Failures++
		if e.Stack != "" && !ill.struck[e.Actor] {
			t.Bugs++
		}
		delete(ill.struck, e.Actor)
		ill.failed[e.Actor] = true
	case event.Escalated:
		ill.failed[e.Actor] = true
	case event.Directive:
		if e.Action == event.ActionStop && e.Reason != supervise.ReasonParent {
			t.GivenUp++
		}
	case event.Restarted:
		t.Restarts++
		t.Lost += e.Lost
		if ill.failed[e.Actor] {
			delete(ill.failed, e.Actor)
			t.repaired(e)
		}
	case event.Stopping: // of a process that was ended, the root counts for all its actors
		if !strings.Contains(e.Actor, "/") && (e.Reason == event.ReasonKill || e.Reason == event.ReasonPowerCut) {
			t.Failures++
			delete(ill.struck, e.Actor)
		}
	case event.Note:
		if e.Note == event.NoteRecovered {
			t.repaired(e)
		}
	case event.Stopped:
		t.Lost += e.Lost
		delete(ill.failed, e.Actor)
	}
}

// repaired counts that a failure was made up for by e.
func (t *Tally) repaired(e *event.Event) {
	t.Repairs++
	t.down += e.Down
	t.Longest = max(t.Longest, e.Down.Microseconds())
}

func (t *Tally) add(o *Tally) {
	t.Spawned += o.Spawned
	t.Faults += o.Faults
	t.Failures += o.Failures
	t.Bugs += o.Bugs
	t.Restarts += o.Restarts
	t.GivenUp += o.GivenUp
	t.Repairs += o.Repairs
	t.Lost += o.Lost
	t.down += o.down
	t.Longest = max(t.Longest, o.Longest)
}

func (t *Tally) mean() Tally {
	if t.Repairs > 0 {
		t.MTTR = (t.down / time.Duration(t.Repairs)).Microseconds()
	}
	return *t
}

// Write writes tables for people, with the paths of mailboxes cut at width
// columns; 0 cuts nothing.
func (s *Stats) Write(w io.Writer, p Paint, width int) error {
	fmt.Fprintf(w, "run %s: %s in %.3f s, %s\n", clean(s.Run), units.Count(s.Events, "event"), s.Seconds, units.Count(s.DeadLetters, "dead letter"))
	if s.Dropped > 0 {
		fmt.Fprintln(w, p.warning(count(s.Dropped, "event", "lost")+": the numbers below are incomplete"))
	}
	fmt.Fprintln(w)
	// With heads of two lines and a single space between, the longest names of
	// kinds leave it within 80 columns.
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\t\t\t\t\t\tgiven\tmean\tlongest\tlost\t")
	fmt.Fprintln(t, "kind\tspawned\tfaults\tfailed\tbugs\trestarts\tup\trepair\trepair\tmessages\t")
	for _, k := range append(s.Kinds, s.Total) {
		repair, longest := "-", "-"
		if k.Repairs > 0 {
			repair, longest = micros(k.MTTR), micros(k.Longest)
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%d\t\n", cmp.Or(clean(k.Kind), "all"),
			k.Spawned, k.Faults, k.Failures, k.Bugs, k.Restarts, k.GivenUp, repair, longest, k.Lost)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if err := writeWork(w, s.Work, s.Flows); err != nil {
		return err
	}
	if len(s.Mailboxes) == 0 {
		_, err := fmt.Fprintln(w, "\nslowest mailboxes: none was seen to hold messages up")
		return err
	}
	fmt.Fprintln(w, "\nslowest mailboxes: longest wait and most messages seen")
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, b := range s.Mailboxes {
		actor := clean(b.Actor)
		if room, cells := max(width-besidePath, 2), ansi.StringWidth(actor); width > 0 && cells > room {
			actor = ansi.TruncateLeft(actor, cells-room+1, "…")
		}
		fmt.Fprintf(t, "%s\t%d\t  %s\n", micros(b.Waited), b.Depth, actor)
	}
	err := t.Flush()
	if more := s.Waited - len(s.Mailboxes); err == nil && more > 0 {
		_, err = fmt.Fprintf(w, "%s waited less\n", units.Count(more, "other"))
	}
	return err
}

func micros(n int64) string { return brief(time.Duration(n) * time.Microsecond).String() }
