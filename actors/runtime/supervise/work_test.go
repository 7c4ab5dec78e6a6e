package supervise_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
)

// works adds up what is in the trace of the work of a kind of actor.
func (f *fixture) works(kind string) (sum event.Work) {
	for _, e := range f.trace.Events() {
		if e.Kind == event.Worked && e.ActorKind == kind {
			sum.Merge(e.Work)
		}
	}
	return sum
}

// slow takes a millisecond of virtual time for each mark.
func slow(c actor.Context) {
	if _, is := c.Message().(*mark); is {
		time.Sleep(time.Millisecond)
	}
}

// What actors do is measured by a sample, or of those that may block whole, and
// recorded every second at first, and at the end.
func TestWorkIsRecorded(t *testing.T) {
	const each, messages, few = time.Millisecond, 1000, 10
	sampledBubble(t, time.Second, func(f *fixture) {
		f.root(f.Props("root", family(nil, nil)), supervise.StopChild)
		f.tell("root", &grow{"a", f.Props("leaf", scripted(slow))}, &grow{"b", f.Props("blocking leaf", scripted(slow), supervise.Blocking())})
		for i := range messages {
			f.tell("root/a", &mark{})
			if i < few {
				f.tell("root/b", &mark{})
			}
		}
		f.advance(900 * time.Millisecond)
		if early := f.works("leaf"); early.Handled > 0 {
			t.Errorf("work is recorded after 900 ms: %+v", early)
		}
		f.advance(1200 * time.Millisecond)
		for kind, n := range map[string]struct{ least, most uint64 }{"leaf": {messages - 64, messages}, "blocking leaf": {few, few}} {
			w := f.works(kind)
			last := time.Duration(n.most) * each // message is handled then
			switch {
			case w.Handled < n.least || w.Handled > n.most:
				t.Errorf("%s: %d messages", kind, w.Handled)
			case w.Busy < time.Duration(n.least)*each || w.Busy > last:
				t.Errorf("%s was busy for %v", kind, w.Busy)
			case w.Busiest != w.Busy || w.Actors != 1:
				t.Errorf("%s: %+v", kind, w)
			case w.Service.Quantile(0.5) < each*9/10 || w.Service.Quantile(0.5) > each*11/10:
				t.Errorf("%s: a message takes %v", kind, w.Service.Quantile(0.5))
			case w.Waits.Quantile(0.5) < last*3/10 || w.Waits.Quantile(0.5) > last*7/10:
				t.Errorf("%s: a message waits %v", kind, w.Waits.Quantile(0.5))
			case w.Waits.Quantile(1) > last*11/10:
				t.Errorf("%s: a message waits %v at most", kind, w.Waits.Quantile(1))
			}
		}
		ends := map[time.Time][]string{}
		for _, e := range f.trace.Events() {
			if e.Kind == event.Worked {
				ends[e.Time] = append(ends[e.Time], e.ActorKind)
			}
		}
		for at, kinds := range ends {
			if len(kinds) == 1 && kinds[0] != "processor" {
				t.Errorf("at %v the work of %s alone is recorded", at, kinds)
			}
		}
		f.tell("root/b", &mark{})
		f.advance(10 * time.Millisecond)
		before := f.works("blocking leaf").Handled
		f.RecordWork()
		if got := f.works("blocking leaf").Handled; got != before+1 {
			t.Errorf("%d messages are recorded, and one more when it is asked for: %d", before, got)
		}
	})
}

// A restart keeps the mailbox, and messages are still told apart.
func TestWorkIsMeasuredAcrossRestarts(t *testing.T) {
	sampledBubble(t, time.Second, func(f *fixture) {
		f.root(f.Props("root", family(nil, nil)), supervise.StopChild)
		f.tell("root", &grow{"a", f.Props("leaf", scripted(slow), supervise.Blocking())})
		for range 3 {
			f.tell("root/a", &mark{}, &crash{"bug"}, &mark{})
			f.advance(time.Minute)
		}
		f.RecordWork()
		if w := f.works("leaf"); w.Handled != 6 || w.Busy != 6*time.Millisecond {
			t.Errorf("%d messages in %v, want 6", w.Handled, w.Busy)
		}
	})
}
