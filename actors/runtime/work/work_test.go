package work

import (
	"reflect"
	"testing"
	"time"

	"kouzui/actors/runtime/event"
)

// The table that comes with the program can be read, and says where it was
// measured; a table that is written is read as the same.
func TestShipped(t *testing.T) {
	table := Shipped()
	if table.Machine == "" {
		t.Error("nobody knows which machine the shipped table is of")
	}
	if again, err := ReadTable(table.TOML()); err != nil || !reflect.DeepEqual(again, table) {
		t.Error("what is written is not what is read", err)
	}
}

func TestCosts(t *testing.T) {
	c := NewCosts([]Cost{{Kind: "a", Time: 1000}, {Kind: "a", Message: "M", Time: 10, KiB: 100}})
	for _, tc := range []struct {
		kind, message string
		bytes         int
		want          time.Duration
	}{{"a", "M", 0, 10}, {"a", "M", 1536, 160}, {"a", "N", 1536, 1000}, {"b", "M", 1536, 0}} {
		if got := c.Of(tc.kind, tc.message).Took(tc.bytes); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}

func TestMeter(t *testing.T) {
	m := NewMeter(2)
	a, b, disk := m.Actor("peer"), m.Actor("peer"), m.Device("disk")
	a.Add(Handled{From: "store", Message: "M", Bytes: 5, Waited: 8, Took: 4, For: 3})
	b.Add(Handled{From: "store", Message: "M", Waited: 8, Took: 2, For: 1})
	b.Add(Handled{From: World, Message: "L", Waited: 0, Took: 1, For: 1})
	disk.Add(Handled{Message: "disk", Took: 100, For: 1})
	take := func(now time.Duration) map[string]event.Work {
		all := map[string]event.Work{}
		m.Take(now, func(kind string, w *event.Work) {
			w.Waits, w.Service = nil, nil
			all[kind] = *w
		})
		return all
	}
	want := map[string]event.Work{
		"peer": {Span: 100, Cores: 2, Actors: 2, Handled: 5, Busy: 15, Busiest: 12, Waiting: 32, Flows: []event.Flow{
			{From: "store", Message: "M", Count: 4, Busy: 14, Bytes: 15}, {From: World, Message: "L", Count: 1, Busy: 1},
		}},
		"disk": {Span: 100, Cores: 2, Device: true, Actors: 1, Handled: 1, Busy: 100, Busiest: 100, Flows: []event.Flow{{Message: "disk", Count: 1, Busy: 100}}},
	}
	if got := take(100); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	a.Add(Handled{Message: "M", Took: 4, For: 1})
	want = map[string]event.Work{"peer": {Span: 50, Cores: 2, Actors: 1, Handled: 1, Busy: 4, Busiest: 4, Flows: []event.Flow{{Message: "M", Count: 1, Busy: 4}}}}
	if got := take(150); !reflect.DeepEqual(got, want) {
		t.Errorf("the next span: %+v\nwant %+v", got, want)
	}
}

// A table made of rounds has the least of each cost, and gives the connections
// what no actor has used.
func TestMeasured(t *testing.T) {
	const kib = 1024
	round := func(factor time.Duration) Round {
		return Round{
			Down: map[string]*event.Work{
				"peer": {Flows: []event.Flow{
					{From: World, Message: "FramesReceived", Count: 10, Busy: 400 * factor, Bytes: 100 * kib},
					{From: "store", Message: "Small", Count: 5, Busy: 50 * factor, Bytes: 5},
					{From: "choker", Message: "Small", Count: 5, Busy: 50 * factor, Bytes: 5},
				}},
				Processor: {Device: true, Busy: 2500 * factor},
			},
			Up: map[string]*event.Work{
				"inbound-peer": {Flows: []event.Flow{{From: World, Message: "FramesReceived", Count: 10, Busy: 70 * factor, Bytes: 17}}},
				Processor:      {Device: true, Busy: 1070 * factor},
			},
		}
	}
	table := Measured("m", []Round{round(3), round(1), round(2)})
	want := []Cost{
		{Kind: "inbound-peer", Message: "FramesReceived", Time: 7, KiB: 4},
		{Kind: "inbound-peer", Message: "Small", Time: 10},
		{Kind: Link, Message: Received, KiB: 19}, // (2500 - 400 - 10*7 - 100) / 100
		{Kind: Link, Message: Sent, KiB: 10},     // (1070 - 10*7) / 100
		{Kind: "peer", Message: "FramesReceived", Time: 7, KiB: 4},
		{Kind: "peer", Message: "Small", Time: 10},
	}
	if !reflect.DeepEqual(table.Cost, want) {
		t.Errorf("%+v\nwant %+v", table.Cost, want)
	}
	if unseen := table.Unseen(); len(unseen) > 0 {
		t.Errorf("not seen: %+v", unseen)
	}
	hidden := round(1) // the actors are seen to do more than the process
	hidden.Up[Processor].Busy = 60
	if unseen := Measured("m", []Round{hidden}).Unseen(); len(unseen) != 1 || unseen[0].Message != Sent {
		t.Errorf("not seen: %+v", unseen)
	}
	if empty := Measured("m", []Round{{}}); len(empty.Cost) > 0 {
		t.Errorf("costs of nothing: %+v", empty.Cost)
	}
}
