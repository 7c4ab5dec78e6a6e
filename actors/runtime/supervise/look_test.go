package supervise_test

import (
	"testing"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/work"
)

// A Look sees what is done while it lasts, and the trace hears nothing of it.
func TestALook(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.root(f.Props("root", scripted(slow)), supervise.StopChild)
		marks := func(n int) {
			for range n {
				f.tell("root", &mark{})
			}
			f.advance(time.Second)
		}
		marks(100)
		look := f.Look()
		for _, n := range []int{3, 5, 0, 300} {
			marks(n)
			var got event.Work
			if w := look.Take().Kinds["root"]; w != nil {
				got = *w
			}
			if few := uint64(n); got.Handled > few || got.Handled+64 <= few || n <= 5 && got.Handled != few {
				t.Errorf("%d of %d messages are seen", got.Handled, n)
			}
			if n == 0 {
				continue
			}
			if len(got.Flows) != 1 || got.Flows[0].From != work.World || got.Flows[0].Message != "mark" {
				t.Errorf("flows: %+v", got.Flows)
			}
			if took := got.Service.Quantile(0.5); got.Busy != time.Duration(got.Handled)*time.Millisecond || took < 900*time.Microsecond || took > 1100*time.Microsecond {
				t.Errorf("busy for %v, each for %v", got.Busy, took)
			}
			if got.Span != time.Second {
				t.Errorf("a span of %v", got.Span)
			}
		}
		look.Close()
		marks(10)
		if w := look.Take().Kinds["root"]; w != nil {
			t.Errorf("after its end it sees %+v", w)
		}
		again := f.Look()
		defer again.Close()
		marks(2)
		if w := again.Take().Kinds["root"]; w == nil || w.Handled != 2 {
			t.Errorf("another look sees %+v", w)
		}
		for _, e := range f.trace.Events() {
			if e.Kind == event.Worked || e.Kind == event.Mailbox {
				t.Errorf("the trace has %+v", e)
			}
		}
	})
}
