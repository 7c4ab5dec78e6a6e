package progress

import (
	"kouzui"
	"reflect"
	"testing"

	"kouzui/actors/runtime/event"
)

// TestInbox: of each torrent only the newest Progress stays, in the place of
// the first; of supervision only the events that are shown.
func TestInbox(t *testing.T) {
	a, b := kouzui.Hash{1}, kouzui.Hash{2}
	box := NewInbox()
	first := kouzui.Progress{Status: kouzui.Status{InfoHash: a, Have: 1}}
	other := kouzui.Progress{Status: kouzui.Status{InfoHash: b}}
	done := &kouzui.Completed{}
	newest := kouzui.Progress{Status: kouzui.Status{InfoHash: a, Have: 2}}
	failed := &event.Event{Kind: event.Failed}
	peer := &event.Event{Kind: event.Started, ActorKind: "peer"}
	for _, event := range []any{first, other, done, newest} {
		box.Put(event)
	}
	for _, e := range []*event.Event{failed, {Kind: event.Started, ActorKind: "store"}, {Kind: event.Spawned}, peer} {
		box.Record(e)
	}
	<-box.Ready
	got := box.Take()
	want := []any{newest, other, done, failed, peer}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("got %v", got)
	}
	if len(box.Ready) != 0 || len(box.Take()) != 0 {
		t.Error("the inbox is not empty")
	}
	box.Put(first)
	<-box.Ready
	if got := box.Take(); len(got) != 1 || !reflect.DeepEqual(got[0], first) {
		t.Errorf("got %v after it had been emptied", got)
	}
}
