package demo

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kouzui/actors/runtime/event"
)

func TestTimeline(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(100, 0).Add(time.Duration(ms) * time.Millisecond) }
	const path = "client/torrent-1/engine/peers/peer-2"
	events := []*event.Event{
		{Kind: event.Started, Actor: path, Incarnation: 1, Time: at(-500)},
		{Kind: event.Fault, Actor: path, Incarnation: 1, Time: at(0)},
		{Kind: event.Failed, Actor: "client/torrent-1/engine/store", Incarnation: 1, Time: at(0)},
		{Kind: event.Failed, Actor: path, Incarnation: 1, Time: at(0), Reason: "a bug"},
		{Kind: event.Directive, Actor: path, Time: at(1), Action: event.ActionRestart, Attempt: 1, Delay: 90 * time.Millisecond, Strategy: "one-for-one"},
		{Kind: event.Restarted, Actor: path, Incarnation: 2, Time: at(91), Kept: 3},
		{Kind: event.Directive, Actor: path, Time: at(95), Action: event.ActionStop},
		{Kind: event.Stopped, Actor: path, Incarnation: 2, Time: at(96), Reason: "failed"},
	}
	want := []string{
		"What happened to " + path + ":",
		"  +0s       incarnation 1 failed: a bug",
		"  +1ms      the supervisor peers decides to restart it after 90ms (attempt 1, strategy one-for-one)",
		"  +91ms     incarnation 2 runs, and takes the 3 messages that waited",
		"  +95ms     the supervisor peers decides to stop it",
		"  +96ms     incarnation 2 stopped: failed",
	}
	if diff := cmp.Diff(want, timeline(events, path)); diff != "" {
		t.Error(diff)
	}
}
