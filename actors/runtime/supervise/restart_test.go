package supervise_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
)

// steady restarts after one second, each time.
var steady = supervise.Backoff{Base: time.Second, Factor: 1, Jitter: -1, Budget: 2, Window: time.Hour}

func TestARestartKeepsPathAndMailbox(t *testing.T) {
	bubble(t, func(f *fixture) {
		var got []int
		child := f.Props("child", scripted(func(c actor.Context) {
			if m, ok := c.Message().(*mark); ok {
				got = append(got, 10*supervise.Incarnation(c)+m.n)
			}
		}))
		f.root(f.Props("root", family(map[string]*actor.Props{"child": child}, nil), supervise.WithStrategy(steady)), supervise.StopChild)

		f.tell("root/child", &mark{1}, &crash{"boom"}, &mark{2})
		f.expect("root/child", supervise.StateWaiting, 1)
		f.advance(time.Second - 1)
		f.expect("root/child", supervise.StateWaiting, 1)
		f.tell("root/child", &mark{3})
		f.advance(1)
		f.expect("root/child", supervise.StateRunning, 2)
		f.expect("root", supervise.StateRunning, 1)

		if diff := cmp.Diff([]int{11, 22, 23}, got); diff != "" {
			t.Errorf("messages by incarnation: %s", diff)
		}
		e := f.last(event.Restarted, "root/child")
		if e.Down != time.Second || e.Kept != 2 {
			t.Errorf("down for %v with %d messages kept, want 1s and 2", e.Down, e.Kept)
		}
		want := []string{"restarted root/child", "restarting root/child", "directive root/child", "failed root/child",
			"started root/child", "spawned root/child", "started root", "spawned root"}
		if diff := cmp.Diff(want, f.causes(e)); diff != "" {
			t.Errorf("causes: %s", diff)
		}
		d := f.last(event.Directive, "root/child")
		if d.Strategy != "one-for-one" || d.Action != event.ActionRestart || d.Delay != time.Second || d.Attempt != 1 || d.BudgetLeft != 1 {
			t.Errorf("directive %+v", d)
		}
	})
}

func TestABugHasAStackAndADesignedFailureHasNone(t *testing.T) {
	bubble(t, func(f *fixture) {
		broken := errors.New("journal torn")
		f.root(f.Props("root", scripted(func(c actor.Context) {
			switch c.Message().(type) {
			case *mark:
				var none []int
				_ = none[supervise.Incarnation(c)]
			case *end:
				supervise.Fail(broken)
			}
		})), supervise.Backoff{Base: -1, Jitter: -1})

		f.tell("root", &mark{})
		bug := f.last(event.Failed, "root")
		first, _, _ := strings.Cut(bug.Stack, "\n")
		if !strings.Contains(first, "TestABugHasAStack") || strings.Contains(bug.Stack, "runtime.") || strings.Contains(bug.Stack, "mailbox") {
			t.Errorf("stack:\n%s", bug.Stack)
		}
		if bug.MessageType != "*supervise_test.mark" || !strings.Contains(bug.Reason, "out of range") {
			t.Errorf("bug %+v", bug)
		}
		f.tell("root", &end{})
		if e := f.last(event.Failed, "root"); e.Stack != "" || e.Reason != "journal torn" {
			t.Errorf("designed failure %+v", e)
		}
		f.expect("root", supervise.StateRunning, 3)
	})
}

// spend makes root/child fail until the budget of steady is spent.
func spend(f *fixture, spent supervise.Spent) {
	strategy := steady
	strategy.WhenSpent = spent
	child := f.Props("child", scripted(nil))
	f.root(f.Props("root", family(map[string]*actor.Props{"child": child}, nil), supervise.WithStrategy(strategy)), steady)
	for range 3 {
		f.tell("root/child", &crash{"boom"})
		f.advance(time.Second)
	}
}

func TestASpentBudgetStops(t *testing.T) {
	bubble(t, func(f *fixture) {
		spend(f, supervise.ThenStop)
		f.expect("root/child", "", 0)
		f.expect("root", supervise.StateRunning, 1)
		if e := f.last(event.Stopped, "root/child"); e.Reason != supervise.ReasonBudget {
			t.Errorf("stopped for %q", e.Reason)
		}
	})
}

func TestASpentBudgetEscalates(t *testing.T) {
	bubble(t, func(f *fixture) {
		spend(f, supervise.ThenEscalate)
		f.expect("root", supervise.StateRunning, 2)
		f.expect("root/child", supervise.StateRunning, 1)
		chain := f.causes(f.last(event.Started, "root/child"))
		want := []string{"started root/child", "spawned root/child", "restarted root", "restarting root", "directive root", "escalated root",
			"directive root/child", "failed root/child", "restarted root/child"}
		if diff := cmp.Diff(want, chain[:len(want)]); diff != "" {
			t.Errorf("causes: %s", diff)
		}
	})
}

func TestASpentBudgetMayGoOnForEver(t *testing.T) {
	bubble(t, func(f *fixture) {
		spend(f, supervise.Forever)
		f.expect("root/child", supervise.StateWaiting, 3)
		f.advance(supervise.DefaultBackoff.Cap)
		f.expect("root/child", supervise.StateRunning, 4)
	})
}

func TestAGuardianStopsWhatEscalatesBeyondTheRoot(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.root(f.Props("root", scripted(nil)), supervise.Escalate)
		f.tell("root", &crash{"boom"})
		f.expect("root", "", 0)
		if e := f.last(event.Stopped, "root"); e.Reason != supervise.ReasonEscalated {
			t.Errorf("stopped for %q", e.Reason)
		}
	})
}

// engine is root/engine with two children whose failures escalate to it.
func engine(f *fixture, guard supervise.Strategy, on func(actor.Context)) {
	children := map[string]*actor.Props{"store": f.Props("store", scripted(on)), "scheduler": f.Props("scheduler", scripted(on))}
	mid := f.Props("engine", family(children, nil), supervise.WithStrategy(supervise.Escalate))
	f.root(f.Props("root", family(map[string]*actor.Props{"engine": mid}, nil), supervise.WithStrategy(guard)), supervise.StopChild)
}

func TestAnEscalationRestartsTheMiddleWithFreshChildren(t *testing.T) {
	bubble(t, func(f *fixture) {
		marks := 0
		engine(f, steady, func(c actor.Context) {
			if _, ok := c.Message().(*mark); ok {
				marks++
			}
		})
		f.tell("root/engine/store", &crash{"boom"}, &mark{1})
		f.expect("root/engine", supervise.StateWaiting, 1)
		f.expect("root/engine/store", supervise.StateFailed, 1)
		f.expect("root/engine/scheduler", supervise.StateRunning, 1)

		// An actor below that fails meanwhile is stopped, because its supervisor is
		// restarted anyway.
		f.tell("root/engine/scheduler", &crash{"too"})
		f.expect("root/engine/scheduler", "", 0)

		f.advance(time.Second)
		f.expect("root/engine", supervise.StateRunning, 2)
		f.expect("root/engine/store", supervise.StateRunning, 1)
		f.expect("root/engine/scheduler", supervise.StateRunning, 1)
		f.expect("root", supervise.StateRunning, 1)
		if marks != 0 {
			t.Errorf("a new store got %d messages of the old one", marks)
		}
		if e := f.last(event.Stopped, "root/engine/store"); e.Lost != 2 || e.Reason != supervise.ReasonParent {
			t.Errorf("the old store stopped with %+v", e)
		}
	})
}

func TestAllForOneRestartsTheSiblings(t *testing.T) {
	bubble(t, func(f *fixture) {
		together := steady
		together.All = true
		children := map[string]*actor.Props{}
		for _, name := range []string{"a", "b", "c"} {
			children[name] = f.Props("child", scripted(nil))
		}
		f.root(f.Props("root", family(children, nil), supervise.WithStrategy(together)), supervise.StopChild)
		f.tell("root/a", &crash{"boom"})
		f.expect("root/b", supervise.StateRunning, 1)
		f.advance(time.Second / 2)
		f.tell("root/c", &crash{"boom"})
		f.advance(time.Second / 2)
		for path := range children {
			f.expect("root/"+path, supervise.StateRunning, 2)
		}
		f.advance(time.Second)
		f.expect("root/c", supervise.StateRunning, 2)
		if e := f.last(event.Directive, "root/a"); f.last(event.Restarting, "root/b").Cause != e.Seq {
			t.Errorf("b does not restart because of a")
		}
	})
}

func TestARestartingActorLeavesItsMailToItsSuccessor(t *testing.T) {
	bubble(t, func(f *fixture) {
		release := make(chan struct{})
		slow := f.Props("slow", scripted(func(c actor.Context) {
			if _, ok := c.Message().(*actor.Stopping); ok {
				<-release
			}
		}), supervise.Blocking())
		var readers []int
		busy := f.Props("busy", family(map[string]*actor.Props{"slow": slow}, func(c actor.Context) {
			if _, ok := c.Message().(*mark); ok {
				readers = append(readers, supervise.Incarnation(c))
			}
		}))
		together := supervise.Backoff{Base: -1, All: true}
		f.root(f.Props("root", family(map[string]*actor.Props{"busy": busy, "other": f.Props("other", scripted(nil))}, nil),
			supervise.WithStrategy(together)), supervise.StopChild)

		f.tell("root/other", &crash{"boom"})
		f.expect("root/busy", supervise.StateRestarting, 1)
		f.tell("root/busy", &mark{})
		close(release)
		f.advance(0)
		f.expect("root/busy", supervise.StateRunning, 2)
		if diff := cmp.Diff([]int{2}, readers); diff != "" {
			t.Errorf("read by the incarnation: %s", diff)
		}
	})
}

// What an actor has ordered with Deliver does not reach another actor that gets
// its name later, although that one is in its first incarnation too.
func TestAnActorReadsNothingMeantForItsNamesake(t *testing.T) {
	bubble(t, func(f *fixture) {
		var deliver func(any)
		read := 0
		props := f.Props("child", scripted(func(c actor.Context) {
			switch c.Message().(type) {
			case *actor.Started:
				if deliver == nil {
					deliver = supervise.Deliver(c)
				}
			case *mark:
				read++
			}
		}))
		f.root(f.Props("root", scripted(nil)), steady)
		f.tell("root", &grow{"child", props})
		synctest.Wait()
		deliver(&mark{})
		f.tell("root/child", &end{"on purpose"})
		synctest.Wait()
		f.tell("root", &grow{"child", props})
		synctest.Wait()
		deliver(&mark{})
		synctest.Wait()
		if read != 1 {
			t.Errorf("%d messages are read, want the one sent while the first child lived", read)
		}
	})
}
