package observe

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/wire/metainfo"
)

// maxLines is how many events the page shows of one actor.
const maxLines = 100

// failure is one failure of an actor and what was done about it. It is
// completed by the events that follow: the supervisor's directive, then the
// restart or stop.
type failure struct {
	Seq         uint64       `json:"seq"` // of the event
	At          int64        `json:"at"`
	Actor       string       `json:"actor"`
	Incarnation int          `json:"incarnation"`
	Reason      string       `json:"reason"`
	Message     string       `json:"message,omitempty"`  // type of the one at which it failed
	Where       string       `json:"where,omitempty"`    // first line of the stack
	Injected    bool         `json:"injected,omitempty"` // on purpose
	Because     string       `json:"because,omitempty"`  // path of the child that it fails for
	Strategy    string       `json:"strategy,omitempty"`
	Action      event.Action `json:"action,omitempty"`
	Why         string       `json:"why,omitempty"` // of the action
	Attempt     int          `json:"attempt,omitempty"`
	BudgetLeft  int          `json:"budget_left"`
	DelayMS     float64      `json:"delay_ms,omitempty"`
	Outcome     event.Kind   `json:"outcome,omitempty"` // restarted or stopped
	DownMS      float64      `json:"down_ms,omitempty"`
	Kept        int          `json:"kept,omitempty"`
	Lost        int          `json:"lost,omitempty"`

	stack     string
	directive uint64
	version   uint64
}

// failure updates the failures from an event. m.mu is held.
func (m *model) failure(e *event.Event, version uint64) {
	if e.Kind == event.Failed || e.Kind == event.Escalated {
		f := &failure{
			Seq: e.Seq, At: e.Time.UnixMilli(), Actor: e.Actor, Incarnation: e.Incarnation,
			Reason: shorten(e.Reason), Message: e.MessageType, BudgetLeft: -1,
			Injected: strings.HasPrefix(e.Reason, "injected fault"),
			stack:    e.Stack, version: version,
		}
		f.Where, _, _ = strings.Cut(e.Stack, "\n")
		if e.Kind == event.Escalated {
			f.Because = m.directed(e.Cause)
		}
		m.failures = append(m.failures, f)
		if n := len(m.failures) - maxFailures; n > 0 {
			m.failures = slices.Delete(m.failures, 0, n)
		}
		m.open[e.Actor] = f
		return
	}
	f, ok := m.open[e.Actor]
	if !ok {
		return
	}
	switch e.Kind {
	case event.Directive:
		f.directive = e.Seq
		f.Strategy, f.Action, f.Why = e.Strategy, e.Action, shorten(e.Reason)
		f.Attempt, f.BudgetLeft, f.DelayMS = e.Attempt, e.BudgetLeft, ms(e.Delay)
	case event.Restarted, event.Stopped:
		f.Outcome, f.DownMS, f.Kept, f.Lost = e.Kind, ms(e.Down), e.Kept, e.Lost
		delete(m.open, e.Actor)
	default:
		return
	}
	f.version = version
}

// directed is the actor that a directive was about.
func (m *model) directed(directive uint64) string {
	for _, f := range slices.Backward(m.failures) {
		if f.directive == directive {
			return f.Actor
		}
	}
	return ""
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// details are what the page shows of a chosen actor.
type details struct {
	Actor    *row     `json:"actor"`    // nil: it has stopped
	Failures []traced `json:"failures"` // newest first
	Events   []line   `json:"events"`   // oldest first
	Children int      `json:"children"`
}

type traced struct {
	failure
	Stack string `json:"stack,omitempty"`
}

type line struct {
	Seq  uint64     `json:"seq"`
	At   int64      `json:"at"`
	Kind event.Kind `json:"kind"`
	Text string     `json:"text"`
}

func (m *model) details(path string) details {
	m.mu.Lock()
	defer m.mu.Unlock()
	var d details
	if r, ok := m.rows[path]; ok {
		shown := *r
		d.Actor = &shown
	}
	for _, r := range m.rows {
		if r.Parent == path {
			d.Children++
		}
	}
	for _, f := range slices.Backward(m.failures) {
		if f.Actor == path {
			d.Failures = append(d.Failures, traced{*f, f.stack})
		}
	}
	return d
}

// describe is an event as a sentence for the page.
func describe(e *event.Event) string { return metainfo.Clean(sentence(e), maxText) }

func sentence(e *event.Event) string {
	switch e.Kind {
	case event.Spawned:
		return "spawned"
	case event.Started:
		return "runs"
	case event.Fault:
		return "fault injected: " + e.Reason
	case event.Failed:
		return fmt.Sprintf("failed at %s: %s", e.MessageType, e.Reason)
	case event.Escalated:
		return "fails in its child's place: " + e.Reason
	case event.Directive:
		return directive(e)
	case event.Restarted:
		return fmt.Sprintf("incarnation %d runs, %s after the failure; %d messages kept, %d lost",
			e.Incarnation, e.Down.Round(time.Microsecond), e.Kept, e.Lost)
	case event.Stopping, event.Stopped:
		return fmt.Sprintf("%s (%s)", e.Kind, e.Reason)
	case event.Mailbox:
		return fmt.Sprintf("%d messages wait, the oldest for %s", e.Depth, e.Waited)
	case event.DeadLetter:
		return "a " + e.MessageType + " came after its end"
	}
	return strings.TrimSpace(string(e.Kind) + " " + e.Reason)
}

func directive(e *event.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Strategy, e.Action)
	if e.Action == event.ActionRestart {
		fmt.Fprintf(&b, " in %s, attempt %d", e.Delay.Round(time.Millisecond), e.Attempt)
		if e.BudgetLeft >= 0 {
			fmt.Fprintf(&b, ", %d left in the budget", e.BudgetLeft)
		}
	}
	if e.Reason != "" {
		fmt.Fprintf(&b, " (%s)", e.Reason)
	}
	return b.String()
}
