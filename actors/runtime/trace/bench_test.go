package trace

import (
	"io"
	"runtime"
	"testing"

	"kouzui/actors/runtime/event"
)

var typical = map[string]*event.Event{
	"started": {Kind: event.Started, Seq: 1, Actor: "client/torrent-0123456789abcdef/engine/peers/peer-17",
		Incarnation: 1, Cause: 1, ActorKind: "dialled"},
	"note": {Kind: event.Note, Seq: 1, Actor: "client/torrent-0123456789abcdef/engine/choker",
		Incarnation: 1, Cause: 1, ActorKind: "choker", Note: "unchoke", Detail: []event.Detail{event.Number("peer", 17)}},
}

// BenchmarkRecord is what an event costs the actor that it is about, while the
// writer has nothing to do.
func BenchmarkRecord(b *testing.B) {
	f := NewFile(io.Discard, header)
	e := typical["started"]
	b.ReportAllocs()
	for i := range b.N {
		if i%backlog == 0 {
			b.StopTimer()
			for len(f.events) > 0 {
				runtime.Gosched()
			}
			b.StartTimer()
		}
		f.Record(e)
	}
	b.StopTimer()
	if err := f.Close(); err != nil {
		b.Error(err)
	}
}

// BenchmarkLine is what an event costs the goroutine that writes it.
func BenchmarkLine(b *testing.B) {
	for name, e := range typical {
		b.Run(name, func(b *testing.B) {
			f := NewFile(io.Discard, header)
			b.ReportAllocs()
			for range b.N {
				f.line(e)
			}
			b.StopTimer()
			if err := f.Close(); err != nil {
				b.Error(err)
			}
		})
	}
}
