package supervise_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
)

// pause holds an actor up until it is told to go on.
type pause struct{ until chan struct{} }

func paused(c actor.Context) {
	if m, ok := c.Message().(*pause); ok {
		<-m.until
	}
}

// samples of an actor: depth and age of the oldest message.
func (f *fixture) samples(path string) (list []string) {
	for _, e := range f.trace.Events() {
		if e.Kind == event.Mailbox && e.Actor == path {
			list = append(list, fmt.Sprint(e.Depth, " ", e.Waited))
		}
	}
	return list
}

func TestASampleShowsTheMailboxOfAnActorThatHangs(t *testing.T) {
	sampledBubble(t, time.Second, func(f *fixture) {
		f.root(f.Props("root", scripted(paused)), supervise.StopChild)
		p := &pause{make(chan struct{})}
		f.tell("root", p)
		f.advance(1500 * time.Millisecond)
		f.tell("root", &mark{}, &mark{})
		f.advance(time.Second)
		f.tell("root", &mark{})
		f.advance(time.Second)
		close(p.until)
		f.advance(5 * time.Second)
		want := []string{"2 500ms", "3 1.5s", "0 0s"}
		if diff := cmp.Diff(want, f.samples("root")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestASampleShowsTheFullestMailboxes(t *testing.T) {
	sampledBubble(t, time.Second, func(f *fixture) {
		p := &pause{make(chan struct{})}
		f.root(f.Props("root", family(nil, nil)), supervise.StopChild)
		const actors, shown = 70, 64
		for i := range actors {
			path := fmt.Sprintf("%03d", i)
			f.tell("root", &grow{path, f.Props("leaf", scripted(paused), supervise.Blocking())})
			f.tell("root/"+path, p)
			for range i + 1 {
				f.tell("root/"+path, &mark{})
			}
		}
		f.advance(1500 * time.Millisecond)
		for i := range actors {
			if got := len(f.samples(fmt.Sprintf("root/%03d", i))); (got == 1) != (i >= actors-shown) {
				t.Errorf("with %d messages %d samples", i+1, got)
			}
		}
		close(p.until)
	})
}

func TestAFailureTellsHowLongItsMessageWaited(t *testing.T) {
	for name, tt := range map[string]struct {
		before, after int // messages sent before and after the one that fails
		want          time.Duration
	}{
		"alone":          {0, 0, 3 * time.Second},
		"in the middle":  {5, 7, 3 * time.Second},
		"a long way off": {0, 100, 2 * time.Second}, // only a lower bound is known
	} {
		t.Run(name, func(t *testing.T) {
			sampledBubble(t, time.Hour, func(f *fixture) {
				f.root(f.Props("root", scripted(paused)), supervise.StopChild)
				p := &pause{make(chan struct{})}
				f.tell("root", p)
				for range tt.before {
					f.tell("root", &mark{})
				}
				f.tell("root", &crash{"boom"})
				f.advance(time.Second)
				for range tt.after {
					f.tell("root", &mark{})
				}
				f.advance(2 * time.Second)
				close(p.until)
				synctest.Wait()
				if e := f.last(event.Failed, "root"); e.Waited != tt.want || e.Depth != tt.after {
					t.Errorf("it waited %v with %d behind it, want %v and %d", e.Waited, e.Depth, tt.want, tt.after)
				}
			})
		})
	}
}

func TestRemarksAreOnRequest(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.root(f.Props("root", scripted(func(c actor.Context) {
			if m, ok := c.Message().(*mark); ok {
				supervise.Remark(c, "marked", event.Number("n", m.n), event.Text("by", "test"))
			}
		})), supervise.StopChild)
		f.tell("root", &mark{1})
		f.TakeNotes(true)
		f.tell("root", &mark{2})
		f.TakeNotes(false)
		f.tell("root", &mark{3})
		if n := f.count(func(e *event.Event) bool { return e.Kind == event.Note }); n != 1 {
			t.Errorf("%d notes, want 1", n)
		}
		e := f.last(event.Note, "root")
		want := []event.Detail{{Key: "n", Number: 2, Numeric: true}, {Key: "by", Text: "test"}}
		if diff := cmp.Diff(want, e.Detail); diff != "" || e.Note != "marked" {
			t.Errorf("%q: %s", e.Note, diff)
		}
	})
}

func TestARemarkThatNobodyWantsCostsNothing(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.root(f.Props("root", scripted(func(c actor.Context) {
			if _, ok := c.Message().(*mark); ok {
				allocs := testing.AllocsPerRun(100, func() {
					supervise.Remark(c, "marked", event.Number("n", c.Self().RequestId), event.Text("by", "test"))
				})
				if allocs != 0 {
					t.Errorf("%v allocations", allocs)
				}
			}
		})), supervise.StopChild)
		f.tell("root", &mark{})
	})
}
