// Package traceview shows supervision traces to people and to other tools.
package traceview

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/cmd/kouzui/internal/paint"
	"kouzui/wire/metainfo"
)

// longest is how many bytes of one text are shown.
const longest = 500

// clean makes a text fit to be shown: reasons may come from the network.
func clean(s string) string { return metainfo.Clean(s, longest) }

// Paint colours text for a terminal, if it is true.
type Paint bool

func (p Paint) bold(s string) string    { return paint.Paint(p).Bold(s) }
func (p Paint) faint(s string) string   { return paint.Paint(p).Faint(s) }
func (p Paint) red(s string) string     { return paint.Paint(p).Failure(s) }
func (p Paint) warning(s string) string { return paint.Paint(p).Warning(s) }

// SentenceColumn is where the sentence begins in a Line.
const SentenceColumn = 22

// Line is an event as a sentence, with its time since the start and its number.
func (p Paint) Line(e *event.Event, start time.Time) string {
	return fmt.Sprintf("%s  %s  %s",
		p.faint(fmt.Sprintf("%12.6f", e.Time.Sub(start).Seconds())), p.faint(fmt.Sprintf("%6s", fmt.Sprint("#", e.Seq))), p.Sentence(e))
}

// reasons says in words what the constants of package supervise mean.
var reasons = map[string]string{
	supervise.ReasonNormal:    "its work is done",
	supervise.ReasonParent:    "its parent stops or restarts",
	supervise.ReasonBudget:    "too many restarts",
	supervise.ReasonFailed:    "its supervisor does not restart it",
	supervise.ReasonSibling:   "a sibling failed",
	supervise.ReasonEscalated: "no supervisor is above to decide",
	supervise.ReasonShutdown:  "the program ends",
}

func because(reason string) string { return cmp.Or(reasons[reason], clean(reason)) }

// Sentence is an event in words, without its time and its number.
func (p Paint) Sentence(e *event.Event) string {
	who := p.bold(clean(e.Actor))
	switch e.Kind {
	case event.Spawned:
		if e.Parent == "" {
			return fmt.Sprintf("%s was spawned as a root, of kind %s", who, clean(e.ActorKind))
		}
		return fmt.Sprintf("%s was spawned by %s, of kind %s", who, clean(e.Parent), clean(e.ActorKind))
	case event.Started:
		return who + " started"
	case event.Fault:
		return who + " " + p.warning("was made to fail: "+clean(e.Reason))
	case event.Failed:
		return who + p.failure(e)
	case event.Directive:
		return p.directive(e, who)
	case event.Escalated:
		return who + " " + p.red("failed in place of its child: "+clean(e.Reason))
	case event.Restarting:
		return fmt.Sprintf("%s is restarted: incarnation %d ends", who, e.Incarnation)
	case event.Restarted:
		return fmt.Sprintf("%s %s", who, p.bold(fmt.Sprintf("runs again as incarnation %d", e.Incarnation))) +
			list("; ", after(e.Down), count(e.Kept, "message", "kept"), count(e.Lost, "message", "lost"))
	case event.Stopping:
		return who + " begins to stop: " + because(e.Reason)
	case event.Stopped:
		return who + " stopped: " + because(e.Reason) + list("; ", count(e.Lost, "message", "lost"))
	case event.DeadLetter:
		return fmt.Sprintf("a message %s was not delivered: %s does not run", clean(e.MessageType), who)
	case event.Mailbox:
		if e.Depth == 0 {
			return who + " has no message waiting" // for any but a probe, the first time after it had
		}
		return fmt.Sprintf("%s has %s, the oldest for %v", who, count(e.Depth, "message", "waiting"), brief(e.Waited))
	case event.Dropped:
		return p.warning(count(e.Lost, "event", "lost") + ": the file could not keep up")
	case event.Note:
		return p.note(e, who)
	case event.Worked:
		if w := e.Work; w != nil {
			return fmt.Sprintf("%s: %s busy for %v of %v with %d messages", who, clean(e.ActorKind), brief(w.Busy), brief(w.Span), w.Handled)
		}
	}
	return fmt.Sprintf("%s: %s", who, clean(string(e.Kind)))
}

func (p Paint) failure(e *event.Event) string {
	how := "failed"
	if e.Stack == "" {
		how = "failed by design"
	}
	s := fmt.Sprintf(" (incarnation %d) %s at %s", e.Incarnation, p.red(how), clean(e.MessageType))
	if e.Reason != "" {
		s += ": " + p.red(clean(e.Reason))
	}
	if e.Waited > 0 {
		s += fmt.Sprintf("; the message had waited %v", brief(e.Waited))
	}
	return s + list("; ", count(e.Depth, "message", "waiting"))
}

func (p Paint) directive(e *event.Event, who string) string {
	s := fmt.Sprintf("the supervisor of %s decides (%s) ", who, clean(e.Strategy))
	switch e.Action {
	case event.ActionRestart:
		s += "to restart it"
		if e.Delay > 0 {
			s += fmt.Sprintf(" in %v", brief(e.Delay))
		}
		if e.Attempt > 0 {
			s += fmt.Sprintf(", attempt %d", e.Attempt)
		}
		if e.BudgetLeft >= 0 {
			s += fmt.Sprintf(", %d more allowed", e.BudgetLeft)
		}
	case event.ActionStop:
		s += p.red("to stop it")
	case event.ActionEscalate:
		s += p.warning("to fail in its place")
	}
	if e.Reason != "" {
		s += ": " + because(e.Reason)
	}
	return s
}

func (p Paint) note(e *event.Event, who string) string {
	if e.Note == event.NotePanic {
		return fmt.Sprintf("%s %s at %s: %s", who, p.red("panicked while it ended"), clean(e.MessageType), clean(e.Reason))
	}
	return who + ": " + clean(e.Note) + details(e.Detail) + list("; ", after(e.Down))
}

func details(list []event.Detail) string {
	var b strings.Builder
	for _, d := range list {
		if d.Numeric {
			fmt.Fprintf(&b, " %s=%d", clean(d.Key), d.Number)
		} else {
			fmt.Fprintf(&b, " %s=%s", clean(d.Key), clean(d.Text))
		}
	}
	return b.String()
}

func count(n int, one, what string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("1 %s %s", one, what)
	}
	return fmt.Sprintf("%d %ss %s", n, one, what)
}

func after(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return fmt.Sprintf("down for %v", brief(d))
}

// list joins what is not empty, behind before.
func list(before string, parts ...string) string {
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	if len(said) == 0 {
		return ""
	}
	return before + strings.Join(said, ", ")
}

// brief keeps three digits.
func brief(d time.Duration) time.Duration {
	for unit := time.Duration(1e11); unit >= time.Microsecond; unit /= 10 {
		if d >= unit*100 {
			return d.Round(unit)
		}
	}
	return d
}
