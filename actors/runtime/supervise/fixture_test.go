package supervise_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is real, and virtual inside a bubble of synctest.
type clock struct{}

func (clock) Now() time.Time                                  { return time.Now() }
func (clock) AfterFunc(d time.Duration, f func()) world.Timer { return time.AfterFunc(d, f) }
func (clock) Source(string) *rand.Rand                        { return rand.New(rand.NewPCG(1, 2)) }

// What a scripted actor is told to do.
type (
	crash struct{ with any }
	grow  struct {
		name  string
		props *actor.Props
	}
	end  struct{ reason string }
	mark struct{ n int }
)

// scripted is an actor that does what it is told; on, if set, is called for
// every message first.
func scripted(on func(actor.Context)) actor.Producer {
	return func() actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			if on != nil {
				on(c)
			}
			switch m := c.Message().(type) {
			case *crash:
				panic(m.with)
			case *grow:
				if _, err := c.SpawnNamed(m.props, m.name); err != nil {
					panic(err)
				}
			case *end:
				supervise.StopSelf(c, m.reason)
			}
		})
	}
}

// family is an actor that spawns its children when it starts.
func family(children map[string]*actor.Props, on func(actor.Context)) actor.Producer {
	return scripted(func(c actor.Context) {
		if on != nil {
			on(c)
		}
		if _, ok := c.Message().(*actor.Started); ok {
			for name, props := range children {
				if _, err := c.SpawnNamed(props, name); err != nil {
					panic(err)
				}
			}
		}
	})
}

type fixture struct {
	*testing.T
	*supervise.Tree
	trace *trace.Recent
	roots []*actor.PID
}

// bubble runs a test in virtual time; when it ends, all actors have stopped.
func bubble(t *testing.T, test func(*fixture)) {
	t.Helper()
	sampledBubble(t, 0, test)
}

// sampledBubble is bubble with a tree that samples its mailboxes.
func sampledBubble(t *testing.T, every time.Duration, test func(*fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		recent := trace.NewRecent(1 << 16)
		f := &fixture{T: t, trace: recent}
		f.Tree = supervise.New(supervise.Config{
			System: supervise.NewSystem(zerolog.Nop()),
			Clock:  clock{},
			Chance: clock{},
			Sinks:  []event.Sink{recent},
			Sample: every,

			Measurable: true,
		})
		test(f)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := f.Shutdown(ctx, f.roots...); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if left := f.Snapshot(); len(left) > 0 {
			t.Errorf("after the shutdown there are still %v", left)
		}
		// The goroutine of the dead-letter throttle sleeps a little longer.
		f.advance(time.Second)
		checkTrace(t, recent.Events())
	})
}

// advance moves the virtual clock, and waits until all is quiet again.
func (f *fixture) advance(d time.Duration) {
	synctest.Wait()
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

func (f *fixture) root(props *actor.Props, guardian supervise.Strategy) {
	f.Helper()
	pid, err := f.Spawn("root", props, guardian)
	if err != nil {
		f.Fatal(err)
	}
	f.roots = append(f.roots, pid)
	synctest.Wait()
}

// tell sends messages to an actor and waits until all is quiet.
func (f *fixture) tell(path string, messages ...any) {
	for _, m := range messages {
		f.System.Root.Send(f.System.NewLocalPID(path), m)
	}
	synctest.Wait()
}

func (f *fixture) node(path string) supervise.Node {
	for _, n := range f.Snapshot() {
		if n.Path == path {
			return n
		}
	}
	return supervise.Node{}
}

// expect checks the state of an actor; the state "" means that it has stopped.
func (f *fixture) expect(path string, state supervise.State, incarnation int) {
	f.Helper()
	if n := f.node(path); n.State != state || n.Incarnation != incarnation {
		f.Errorf("%s is %q in incarnation %d, want %q in %d", path, n.State, n.Incarnation, state, incarnation)
	}
}

func (f *fixture) count(match func(*event.Event) bool) int {
	n := 0
	for _, e := range f.trace.Events() {
		if match(e) {
			n++
		}
	}
	return n
}

// last is the newest event of a kind about an actor.
func (f *fixture) last(kind event.Kind, path string) *event.Event {
	f.Helper()
	var found *event.Event
	for _, e := range f.trace.Events() {
		if e.Kind == kind && e.Actor == path {
			found = e
		}
	}
	if found == nil {
		f.Fatalf("no event %s of %s", kind, path)
	}
	return found
}

// causes lists the kinds and actors of the events that led to an event, back to
// the first.
func (f *fixture) causes(e *event.Event) []string {
	all := f.trace.Events()
	var chain []string
	for ; ; e = all[e.Cause-1] {
		chain = append(chain, string(e.Kind)+" "+e.Actor)
		if e.Cause == 0 {
			return chain
		}
	}
}

// causesOf lists what may cause an event of a kind; see event.Kind.
var causesOf = map[event.Kind][]event.Kind{
	event.Spawned:    {event.Started, event.Restarted, ""},
	event.Started:    {event.Spawned},
	event.Fault:      {event.Started, event.Restarted},
	event.Failed:     {event.Fault, event.Started, event.Restarted},
	event.Directive:  {event.Failed, event.Escalated},
	event.Escalated:  {event.Directive},
	event.Restarting: {event.Directive},
	event.Restarted:  {event.Restarting},
	event.Stopping: {event.Directive, event.Fault, event.Stopping, event.Restarting, event.Started,
		event.Restarted, event.Spawned, ""},
	event.Stopped:    {event.Stopping},
	event.DeadLetter: {""},
	event.Worked:     {""},
	event.Mailbox:    {event.Spawned, event.Started, event.Restarted},
	event.Note:       {event.Started, event.Restarted, event.Stopping, event.Restarting},
}

// checkTrace checks what must be true of every complete trace of a tree that
// has stopped.
func checkTrace(t *testing.T, events []*event.Event) {
	t.Helper()
	answered := map[uint64]int{}
	stopped := map[string]uint64{}
	for i, e := range events {
		if e.Seq != uint64(i)+1 {
			t.Fatalf("event %d has the number %d", i+1, e.Seq)
		}
		if e.Cause >= e.Seq {
			t.Fatalf("%d (%s) is caused by %d", e.Seq, e.Kind, e.Cause)
		}
		var cause event.Kind
		if e.Cause > 0 {
			cause = events[e.Cause-1].Kind
		}
		known := false
		for _, k := range causesOf[e.Kind] {
			known = known || k == cause
		}
		if !known {
			t.Errorf("%d: %s of %s is caused by %q", e.Seq, e.Kind, e.Actor, cause)
		}
		switch e.Kind {
		case event.Directive:
			answered[e.Cause]++
		case event.Stopped:
			stopped[e.Actor] = e.Seq
		}
	}
	for _, e := range events {
		if e.Kind != event.Failed && e.Kind != event.Escalated {
			continue
		}
		if n := answered[e.Seq]; n > 1 || n == 0 && stopped[e.Actor] < e.Seq {
			t.Errorf("%d: %s of %s has %d directives", e.Seq, e.Kind, e.Actor, n)
		}
	}
	var replay trace.Replay
	for _, e := range events {
		replay.Apply(e)
	}
	if left := replay.Nodes(); len(left) > 0 {
		t.Errorf("by the trace there are still %v", left)
	}
}
