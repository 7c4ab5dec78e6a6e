package debug

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/event"
)

// What there is in a run is found forwards one by one, and backwards in the
// other order.
func TestFailuresAreFound(t *testing.T) {
	d := begin(t, small, lab.Options{Seed: 3})
	var forwards, backwards []uint64
	var err error
	before := uint64(0)
	for err = d.Next(d.Records(IsFailure)); err == nil; err = d.Next(d.Records(IsFailure)) {
		if events := d.Events(before); !slices.ContainsFunc(events, IsFailure) {
			t.Errorf("no failure is among %v", events)
		}
		before = d.Position().Recorded
		forwards = append(forwards, before)
	}
	if !errors.Is(err, ErrEnded) || len(forwards) != 4 { // two chokers, a choker again, and a kill
		t.Fatal(err, forwards)
	}
	for err = d.Last(func() Stop { return d.Records(IsFailure) }); err == nil; err = d.Last(func() Stop { return d.Records(IsFailure) }) {
		backwards = append(backwards, d.Position().Recorded)
	}
	if !errors.Is(err, ErrNever) || len(backwards) != len(forwards) {
		t.Fatal(err, backwards)
	}
	for i, at := range backwards {
		if forwards[len(forwards)-1-i] != at {
			t.Errorf("forwards %v, backwards %v", forwards, backwards)
		}
	}
}

// The choker of a node fails for a fault, and why says so.
func TestWhy(t *testing.T) {
	d := begin(t, small, lab.Options{Seed: 3})
	if err := d.Next(d.Records(func(e *event.Event) bool { return e.Kind == event.Restarted })); err != nil {
		t.Fatal(err)
	}
	chain, whole := d.Why(d.Position().Recorded)
	var kinds []string
	for _, e := range chain {
		kinds = append(kinds, string(e.Kind))
	}
	if all := strings.Join(kinds, " "); !whole || !strings.HasSuffix(all, "fault failed directive restarting restarted") {
		t.Errorf("%v: %s", whole, all)
	}
}

// Handles stops before a message that is meant, at an actor that is meant, and
// who has sent it is known: what comes from a connection is nobody's.
func TestHandles(t *testing.T) {
	d := begin(t, small, lab.Options{Seed: 3})
	for _, c := range []struct {
		actor         Actor
		message, from string
	}{
		{"leech-002/scheduler", "PieceVerified", "/store"}, {"leech-002/scheduler", "messages.BlocksArrived", "/peers/peer-"}, {"leech-002/scheduler", "", ""},
		{"leech-*/peer-*", "FramesReceived", ""}, {"leech-002/tracker-0", "", ""}, {"leech-001/choker", "actor.Started", "/engine"},
	} {
		if err := d.GoTo(AtTime(0)); err != nil {
			t.Fatal(err)
		}
		if c.message == "actor.Started" {
			if err := d.restart(); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Next(Handles(c.actor, c.message)); err != nil {
			t.Fatal(err)
		}
		m := d.Position().Moment
		known := c.message == "" || strings.Contains(m.From, c.from) && (c.from == "") == (m.From == "")
		if !c.actor.Match(m.Actor) || !strings.HasSuffix(Name(m.Message), c.message) || !known {
			t.Errorf("%v: %s gets %s from %q", c, m.Actor, Name(m.Message), m.From)
		}
	}
	if err := d.Next(func(d *Debugger) bool {
		return strings.HasPrefix(Name(d.moment.Message), "messages.Frames") && d.moment.From != ""
	}); !errors.Is(err, ErrEnded) {
		t.Errorf("%s has sent %s; %v", d.moment.From, Name(d.moment.Message), err)
	}
}

// Changes stops right behind the message that has changed a field, and finds
// from later on where that was.
func TestChanges(t *testing.T) {
	d := begin(t, small, lab.Options{Seed: 3})
	if err := d.GoTo(AtTime(700 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := d.Actor("leech-001/scheduler")
	if err != nil {
		t.Fatal(err)
	}
	const field = "goal.have"
	before := d.text(n.Path, field)
	if err := d.Next(d.Changes(n.Path, field)); err != nil {
		t.Fatal(err)
	}
	at, after := d.Position().Messages, d.text(n.Path, field)
	if before == after || d.actor != n.Path {
		t.Errorf("message %d to %s: %s, then %s", at, d.actor, before, after)
	}
	if err := d.Step(20); err != nil {
		t.Fatal(err)
	}
	for d.text(n.Path, field) == after { // until it changes again
		if err := d.Step(20); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // to the change that comes next, and to this one
		if err := d.Last(func() Stop { return d.Changes(n.Path, field) }); err != nil {
			t.Fatal(err)
		}
	}
	if d.Position().Messages > at {
		t.Errorf("the change at message %d is found at %d", at, d.Position().Messages)
	}
}

func TestActorMatch(t *testing.T) {
	const path = "leech-002/torrents/torrent-0a1b/engine/scheduler"
	for text, want := range map[Actor]bool{
		path: true, "leech-002": true, "leech-002/scheduler": true, "leech-002/engine/scheduler": true, "leech-*/scheduler": true,
		"*/sched*": true, "*": true, "leech-002/engine": false, "leech-00": false, "leech-002/.": false, "leech-001/scheduler": false, "leech-002/cheduler": false,
	} {
		if text.Match(path) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
	if root := Actor("leech-002/."); !root.Match("leech-002") || root.Match(path) {
		t.Error("the root is not meant by its dot")
	}
}

// A scenario that cannot be played is refused, and a run that was interrupted
// goes on.
func TestErrors(t *testing.T) {
	if _, err := New(&lab.Scenario{}, lab.Options{}); err == nil {
		t.Error("a scenario without content is played")
	}
	d := begin(t, small, lab.Options{Seed: 3})
	d.Interrupt()
	if err := d.Next(func(*Debugger) bool { return false }); !errors.Is(err, ErrInterrupted) {
		t.Error(err)
	}
	if err := d.GoTo(AtTime(time.Second)); err != nil {
		t.Error(err)
	}
	for which, want := range map[Actor]string{"leech-001/nobody": `no actor "leech-001/nobody" runs now`, "leech-*/scheduler": "may be leech-001/torrents/"} {
		if _, err := d.Actor(which); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", which, err)
		}
	}
	n, _ := d.Actor("leech-001/scheduler")
	if _, err := d.Look(n.Path, "goal.nothing"); err == nil || !strings.Contains(err.Error(), `there is no "nothing" in goal; there are `) {
		t.Error(err)
	}
}

// Of a trace that is too long the first events are forgotten, and Why says so.
func TestEventsAreBounded(t *testing.T) {
	d := &Debugger{}
	s := &sink{debugger: d}
	for i := range uint64(mostEvents + 3) {
		s.Record(&event.Event{Seq: i + 1, Cause: i})
	}
	kept := d.Events(0)
	if first := kept[0].Seq; len(kept) != mostEvents/2+3 || first != mostEvents/2+1 {
		t.Errorf("%d events are kept, from %d on", len(kept), first)
	}
	if last := d.Events(mostEvents + 2); len(last) != 1 || last[0].Seq != mostEvents+3 {
		t.Errorf("the last is %v", last)
	}
	if chain, whole := d.Why(mostEvents + 3); whole || len(chain) != len(kept) {
		t.Errorf("%d events led to the last, whole %v", len(chain), whole)
	}
}
