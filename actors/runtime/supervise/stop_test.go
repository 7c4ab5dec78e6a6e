package supervise_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
)

func TestAPanicInAStopHandlerStopsNothing(t *testing.T) {
	bubble(t, func(f *fixture) {
		child := f.Props("child", scripted(func(c actor.Context) {
			switch c.Message().(type) {
			case *actor.Stopping, *actor.Stopped, *actor.Restarting:
				panic("in a handler")
			}
		}))
		f.root(f.Props("root", family(map[string]*actor.Props{"child": child}, nil),
			supervise.WithStrategy(supervise.Backoff{Base: -1})), supervise.StopChild)
		f.tell("root/child", &crash{"boom"})
		f.expect("root/child", supervise.StateRunning, 2)
		f.tell("root/child", &end{"enough"})
		f.expect("root/child", "", 0)

		swallowed := func(e *event.Event) bool { return e.Kind == event.Note && e.Stack != "" }
		if n := f.count(swallowed); n != 3 {
			t.Errorf("%d panics recorded, want 3", n)
		}
		if e := f.last(event.Stopping, "root/child"); e.Reason != "enough" {
			t.Errorf("stops for %q", e.Reason)
		}
	})
}

func TestAStoppingActorGetsNoWork(t *testing.T) {
	bubble(t, func(f *fixture) {
		release := make(chan struct{})
		slow := f.Props("slow", scripted(func(c actor.Context) {
			if _, ok := c.Message().(*actor.Stopping); ok {
				<-release
			}
		}), supervise.Blocking())
		f.root(f.Props("root", family(map[string]*actor.Props{
			"parent": f.Props("parent", family(map[string]*actor.Props{"slow": slow}, nil)),
		}, nil)), supervise.StopChild)

		f.tell("root/parent", &end{"enough"}, &crash{"boom"}, &mark{})
		f.expect("root/parent", supervise.StateStopping, 1)

		// A restart that is on its way must not give a stopping actor a new life.
		pid := f.System.NewLocalPID("root/parent")
		process, _ := f.System.ProcessRegistry.Get(pid)
		process.SendSystemMessage(pid, &actor.Restart{})
		f.advance(0)
		f.expect("root/parent", supervise.StateStopping, 1)
		close(release)
		f.advance(0)
		f.expect("root/parent", "", 0)
		if e := f.last(event.Stopped, "root/parent"); e.Lost != 2 {
			t.Errorf("%d messages lost, want 2", e.Lost)
		}
		if e := f.last(event.Stopping, "root/parent/slow"); e.Reason != supervise.ReasonParent ||
			e.Cause != f.last(event.Stopping, "root/parent").Seq {
			t.Errorf("the child stops by %+v", e)
		}
	})
}

func TestAParentStopsWhileItsChildWaits(t *testing.T) {
	bubble(t, func(f *fixture) {
		engine(f, steady, nil)
		f.tell("root/engine/store", &crash{"boom"})
		f.expect("root/engine", supervise.StateWaiting, 1)
		f.tell("root", &end{"enough"})
		f.advance(time.Hour)
		if left := f.Snapshot(); len(left) > 0 {
			t.Errorf("still there: %v", left)
		}
		restarted := func(e *event.Event) bool { return e.Kind == event.Restarting }
		if f.count(restarted) > 0 || f.DeadLetters() > 0 {
			t.Errorf("a restart went to the dead")
		}
	})
}

func TestAParentRestartsWhileItsChildWaits(t *testing.T) {
	bubble(t, func(f *fixture) {
		child := f.Props("child", scripted(nil))
		parent := f.Props("parent", family(map[string]*actor.Props{"child": child}, nil), supervise.WithStrategy(steady))
		f.root(f.Props("root", family(map[string]*actor.Props{"parent": parent}, nil),
			supervise.WithStrategy(supervise.Backoff{Base: -1})), supervise.StopChild)
		f.tell("root/parent/child", &crash{"boom"})
		f.tell("root/parent", &crash{"boom"})
		f.expect("root/parent", supervise.StateRunning, 2)
		f.expect("root/parent/child", supervise.StateRunning, 1)
		f.advance(time.Hour)
		f.expect("root/parent/child", supervise.StateRunning, 1)
	})
}

func TestFaultsAreCauses(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.root(f.Props("root", family(map[string]*actor.Props{"child": f.Props("child", scripted(nil))}, nil),
			supervise.WithStrategy(supervise.Backoff{Base: -1})), supervise.StopChild)
		if err := f.Kill("root/child", "demonstration"); err != nil {
			t.Fatal(err)
		}
		f.advance(0)
		f.expect("root/child", supervise.StateRunning, 2)
		fault := f.last(event.Fault, "root/child")
		if e := f.last(event.Failed, "root/child"); e.Cause != fault.Seq || fault.Reason != "demonstration" {
			t.Errorf("failed by %d, the fault is %+v", e.Cause, fault)
		}

		f.Inject(func(path, kind string, message any) (in supervise.Injection) {
			if _, ok := message.(*mark); ok && kind == "child" {
				in.Reason = "struck"
			}
			return in
		})
		f.tell("root", &mark{})
		f.tell("root/child", &mark{})
		f.Inject(nil)
		f.tell("root/child", &mark{})
		f.expect("root", supervise.StateRunning, 1)
		f.expect("root/child", supervise.StateRunning, 3)

		if f.Kill("root/nobody", "") == nil || f.Probe("root/nobody") == nil {
			t.Errorf("nobody was found")
		}
	})
}

func TestAProbeMeasuresAMailbox(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.root(f.Props("root", scripted(nil)), steady)
		f.tell("root", &crash{"boom"})
		if err := f.Probe("root"); err != nil {
			t.Fatal(err)
		}
		f.tell("root", &mark{}, &mark{})
		f.advance(time.Second)
		if e := f.last(event.Mailbox, "root"); e.Waited != time.Second || e.Depth != 2 {
			t.Errorf("waited %v with %d behind, want 1s and 2", e.Waited, e.Depth)
		}
	})
}

type hot struct{}

func (hot) IgnoreDeadLetterLogging() {}

func TestDeadLettersAreEventsUnlessTheyAreHot(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.tell("nobody", &mark{}, &hot{})
		e := f.last(event.DeadLetter, "nobody")
		if e.MessageType != "*supervise_test.mark" || f.DeadLetters() != 2 {
			t.Errorf("%d dead letters, event %+v", f.DeadLetters(), e)
		}
		if n := f.count(func(e *event.Event) bool { return e.Kind == event.DeadLetter }); n != 1 {
			t.Errorf("%d events, want 1", n)
		}
	})
}

type secret struct{ Payload string }

func TestTheLibrarysLogHasNoPayloadAndNoKeyTwice(t *testing.T) {
	var out bytes.Buffer
	system := supervise.NewSystem(zerolog.New(&out))
	system.Logger().Warn("[DeadLetter]", "message", &secret{"payload"}, "pid", system.NewLocalPID("a/b"))
	system.Logger().Info("quiet")
	system.Shutdown()
	got := out.String()
	for _, want := range []string{`"message_type":"*supervise_test.secret"`, `"pid":"a/b"`, `"level":"debug"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	warning := got[strings.Index(got, `"level":"warn"`):]
	if strings.Contains(got, "payload") || strings.Count(strings.SplitN(warning, "\n", 2)[0], `"message":`) != 1 {
		t.Errorf("log: %s", got)
	}
}

// The actor system lets a Terminated overtake what waits in a mailbox.
func TestLastWordsComeBeforeTheEnd(t *testing.T) {
	bubble(t, func(f *fixture) {
		var heard []string
		busy := make(chan struct{})
		child := f.Props("child", scripted(func(c actor.Context) {
			if m, ok := c.Message().(*mark); ok {
				c.Send(c.Parent(), &mark{m.n + 1})
				supervise.StopSelf(c, supervise.ReasonNormal)
			}
		}))
		f.root(f.Props("root", family(map[string]*actor.Props{"child": child}, func(c actor.Context) {
			switch m := c.Message().(type) {
			case *mark:
				heard = append(heard, fmt.Sprint("mark ", m.n))
				if m.n == 0 {
					<-busy
				}
			case *actor.Terminated:
				heard = append(heard, "end")
			}
		})), steady)
		f.tell("root", &mark{0})
		f.tell("root/child", &mark{1})
		close(busy)
		synctest.Wait()
		if want := []string{"mark 0", "mark 2", "end"}; !slices.Equal(heard, want) {
			t.Errorf("heard %v, want %v", heard, want)
		}
	})
}

func TestAFaultCanHoldUpOrBreakSomethingElse(t *testing.T) {
	bubble(t, func(f *fixture) {
		began, broken := time.Now(), false
		type at struct {
			n     int
			after time.Duration
		}
		var heard []at
		f.root(f.Props("root", family(map[string]*actor.Props{"child": f.Props("child", scripted(func(c actor.Context) {
			if m, ok := c.Message().(*mark); ok {
				heard = append(heard, at{m.n, time.Since(began)})
			}
		}))}, nil)), steady)
		f.Inject(func(_, _ string, message any) supervise.Injection {
			switch m, _ := message.(*mark); {
			case m == nil:
			case m.n == 1:
				return supervise.Injection{Reason: "hang", Hang: 2 * time.Second}
			case m.n == 2:
				return supervise.Injection{Reason: "delay", Delay: 3 * time.Second}
			case m.n == 3:
				return supervise.Injection{Reason: "break", Break: func() { broken = true }}
			}
			return supervise.Injection{}
		})
		f.tell("root/child", &mark{1}, &mark{2}, &mark{3})
		f.advance(10 * time.Second)
		want := []at{{1, 2 * time.Second}, {3, 2 * time.Second}, {2, 5 * time.Second}}
		if !slices.Equal(heard, want) || !broken {
			t.Errorf("heard %v, want %v; broken: %v", heard, want, broken)
		}
		f.tell("root/child", &end{"broken"})
		if e, fault := f.last(event.Stopping, "root/child"), f.last(event.Fault, "root/child"); e.Cause != fault.Seq || fault.Reason != "break" {
			t.Errorf("stopped by %d, the fault is %+v", e.Cause, fault)
		}
		f.Blame("root", "disk")
		f.tell("root", &crash{"no disk"})
		if e := f.last(event.Failed, "root"); e.Cause != f.last(event.Fault, "root").Seq {
			t.Errorf("failed by %d", e.Cause)
		}
	})
}

// held is a message that holds something.
type held struct{ released *int }

func (h *held) Discard() { *h.released++ }

// What a message holds is released once if no incarnation reads the message:
// because the actor stops while the message waits, or has stopped or restarted
// while a fault delayed it.
func TestWhatNobodyReadsIsReleased(t *testing.T) {
	for name, play := range map[string]func(f *fixture, m any){
		"waits in the mailbox": func(f *fixture, m any) { f.tell("root", &end{"done"}, m) },
		"delayed, and the actor has stopped": func(f *fixture, m any) {
			f.Inject(func(_, _ string, message any) supervise.Injection {
				if message != m {
					return supervise.Injection{}
				}
				return supervise.Injection{Reason: "delay", Delay: time.Second}
			})
			f.tell("root", m, &end{"done"})
			f.advance(2 * time.Second)
		},
		"sent to an actor that has stopped": func(f *fixture, m any) {
			f.tell("root", &end{"done"})
			f.tell("root", m)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fixture) {
				read, released := 0, 0
				f.root(f.Props("root", scripted(func(c actor.Context) {
					if _, is := c.Message().(*held); is {
						read++
					}
				})), steady)
				play(f, &held{&released})
				if read != 0 || released != 1 {
					t.Errorf("read %d times, released %d times", read, released)
				}
			})
		})
	}
	t.Run("delayed, and meant for the incarnation before", func(t *testing.T) {
		bubble(t, func(f *fixture) {
			released := 0
			m := &held{&released}
			f.Inject(func(_, _ string, message any) supervise.Injection {
				if message != any(m) {
					return supervise.Injection{}
				}
				return supervise.Injection{Reason: "delay", Delay: time.Minute}
			})
			f.root(f.Props("root", family(map[string]*actor.Props{"child": f.Props("child", scripted(func(c actor.Context) {
				if _, is := c.Message().(*mark); is {
					supervise.Deliver(c)(m)
				}
			}))}, nil)), steady)
			f.tell("root/child", &mark{1}, &crash{"on purpose"})
			f.advance(2 * time.Minute)
			if released != 1 {
				t.Errorf("released %d times", released)
			}
		})
	})
}
