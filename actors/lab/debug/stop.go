package debug

import (
	"slices"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/fault"
)

// Stop tells of each moment whether the run is to pause there. It remembers
// what it has seen, and serves for one way.
type Stop func(*Debugger) bool

// Place is a moment that there is once in a run.
type Place struct {
	reached func(*Debugger) bool // it is the present moment, or an earlier one
	passed  func(*Debugger) bool // it is an earlier moment than the present one
}

// AtTime is the last moment at which nothing later than a time has happened.
func AtTime(at time.Duration) Place {
	return Place{
		reached: func(d *Debugger) bool { return d.moment.At > at },
		passed:  func(d *Debugger) bool { return d.elapsed > at },
	}
}

// AtMessage is before the nth message is handled.
func AtMessage(n uint64) Place {
	return Place{
		reached: atMessage(n),
		passed:  func(d *Debugger) bool { return d.messages > n || d.messages == n && d.moment.Actor == "" },
	}
}

func atMessage(n uint64) Stop {
	return func(d *Debugger) bool { return d.messages >= n }
}

// AtEvent is right after event number seq of the trace was recorded.
func AtEvent(seq uint64) Place {
	reached := func(d *Debugger) bool { return d.recorded >= seq }
	return Place{reached: reached, passed: reached}
}

func atMoment(n uint64) Place {
	return Place{
		reached: func(d *Debugger) bool { return d.moments >= n },
		passed:  func(d *Debugger) bool { return d.moments > n },
	}
}

// Handles stops before an actor handles a message. A message is meant by its
// name, with its package or without; empty: any is.
func Handles(actor Actor, message string) Stop {
	return func(d *Debugger) bool {
		m := &d.moment
		if m.Actor == "" || !actor.Match(m.Actor) {
			return false
		}
		name := Name(m.Message)
		return message == "" || name == message || strings.HasSuffix(name, "."+message)
	}
}

// Records stops after an event was recorded that fits, from now on.
func (d *Debugger) Records(fits func(*event.Event) bool) Stop {
	seen := d.recorded
	return func(d *Debugger) bool {
		found := slices.ContainsFunc(d.Events(seen), fits)
		seen = d.recorded
		return found
	}
}

// IsFailure tells whether an actor has failed or a process was ended.
func IsFailure(e *event.Event) bool {
	ended := e.Kind == event.Fault && (e.Reason == event.ReasonKill || e.Reason == event.ReasonPowerCut)
	return e.Kind == event.Failed || ended
}

// Wrong stops after a check of the run has failed, from now on.
func (d *Debugger) Wrong() Stop {
	seen := len(d.inside.Wrong())
	return func(d *Debugger) bool { return len(d.inside.Wrong()) > seen }
}

// Changes stops after a message has changed what is at a path in an actor, from
// now on. What an actor that does not run holds is nothing.
func (d *Debugger) Changes(actor, path string) Stop {
	was := d.text(actor, path)
	return func(d *Debugger) bool {
		if d.actor != actor && d.actor != "" {
			return false
		}
		is := d.text(actor, path)
		changed := is != was
		was = is
		return changed
	}
}

// Actor names actors of a run: as NODE, all of a node, or as NODE/ACTOR, where
// ACTOR is the end of a path, and . the root. A * stands for any text.
type Actor string

// Match tells whether the actor at path is meant.
func (a Actor) Match(path string) bool {
	node, rest, narrow := strings.Cut(string(a), "/")
	name, below, _ := strings.Cut(path, "/")
	if !fault.Pattern(node).Match(name) {
		return false
	}
	switch {
	case !narrow:
		return true
	case rest == "." || rest == "":
		return below == ""
	}
	return below != "" && fault.Pattern("*/"+rest).Match("/"+below)
}
