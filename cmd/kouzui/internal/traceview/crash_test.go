package traceview

import (
	"bytes"
	"testing"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
)

// The end of a process is a failure of its root, whatever other actors it had,
// and no bug; what the next process needs until it is back is its repair.
func TestACrashIsAFailureWithARepair(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var file bytes.Buffer
	w := trace.NewDirect(&file, trace.Header{StartedAt: start})
	for i, e := range []event.Event{
		{Kind: event.Fault, Actor: "node", Reason: event.ReasonKill},
		{Kind: event.Stopping, Actor: "node/store", Reason: event.ReasonKill},
		{Kind: event.Stopping, Actor: "node", Reason: event.ReasonKill},
		{Kind: event.Note, Actor: "node", Note: event.NoteRecovered, Down: 5 * time.Second},
		{Kind: event.Fault, Actor: "node", Reason: event.ReasonPowerCut},
		{Kind: event.Stopping, Actor: "node", Reason: event.ReasonPowerCut},
		{Kind: event.Note, Actor: "node", Note: event.NoteRecovered, Down: 7 * time.Second},
		{Kind: event.Fault, Actor: "node", Reason: event.ReasonKill},
		{Kind: event.Stopping, Actor: "node", Reason: event.ReasonKill},
		{Kind: event.Note, Actor: "node", Note: "choke"},
		{Kind: event.Stopping, Actor: "node", Reason: "normal"},
	} {
		e.Seq, e.Time, e.ActorKind = uint64(i+1), start, "client"
		w.Record(&e)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := trace.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Count(r, "*")
	if err != nil {
		t.Fatal(err)
	}
	got := s.Total
	if got.Failures != 3 || got.Bugs != 0 || got.Repairs != 2 || got.MTTR != 6e6 || got.Longest != 7e6 {
		t.Errorf("%+v", got)
	}
}
