package supervise_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"

	"kouzui/actors/runtime/supervise"
)

// ask has an actor do something with its timer, and do is what.
type ask struct{ do func(actor.Context) }

// timed is a tree with an actor of one timer, and the numbers of the messages
// that the timer has brought, each with the seconds since begin.
type timed struct {
	*fixture
	timer supervise.Timer
	begin time.Time
	got   map[int]float64
}

func timedBubble(t *testing.T, test func(*timed)) {
	t.Helper()
	bubble(t, func(f *fixture) {
		s := &timed{fixture: f, begin: time.Now(), got: map[int]float64{}}
		f.root(f.Props("root", scripted(func(c actor.Context) {
			switch m := c.Message().(type) {
			case *ask:
				m.do(c)
			case *mark:
				if s.timer.IsSet() {
					t.Errorf("the timer of %d is still set", m.n)
				}
				s.got[m.n] = time.Since(s.begin).Seconds()
			}
		})), steady)
		test(s)
		f.tell("root", &ask{func(actor.Context) { s.timer.Stop() }})
	})
}

// in is so many seconds after the begin.
func (s *timed) in(seconds float64) time.Time {
	return s.begin.Add(time.Duration(seconds * float64(time.Second)))
}

func TestTimer(t *testing.T) {
	tests := map[string]struct {
		do   func(s *timed, c actor.Context)
		want map[int]float64
	}{
		"at a time": {func(s *timed, c actor.Context) {
			s.timer.SetAt(c, clock{}, s.in(2), &mark{1})
		}, map[int]float64{1: 2}},
		"at a time that has passed": {func(s *timed, c actor.Context) {
			s.timer.SetAt(c, clock{}, s.in(-1), &mark{1})
		}, map[int]float64{1: 0}},
		"the same time again": {func(s *timed, c actor.Context) {
			s.timer.SetAt(c, clock{}, s.in(2), &mark{1})
			s.timer.SetAt(c, clock{}, s.in(2), &mark{2})
		}, map[int]float64{1: 2}},
		"later": {func(s *timed, c actor.Context) {
			s.timer.SetAt(c, clock{}, s.in(2), &mark{1})
			s.timer.SetAt(c, clock{}, s.in(3), &mark{2})
		}, map[int]float64{2: 3}},
		"never": {func(s *timed, c actor.Context) {
			s.timer.SetAt(c, clock{}, s.in(2), &mark{1})
			s.timer.SetAt(c, clock{}, time.Time{}, &mark{2})
		}, map[int]float64{}},
		"by a time that is later": {func(s *timed, c actor.Context) {
			s.timer.SetBy(c, clock{}, s.in(2), &mark{1})
			s.timer.SetBy(c, clock{}, s.in(3), &mark{2})
			s.timer.SetBy(c, clock{}, time.Time{}, &mark{3})
		}, map[int]float64{1: 2}},
		"by a time that is sooner": {func(s *timed, c actor.Context) {
			s.timer.SetBy(c, clock{}, s.in(2), &mark{1})
			s.timer.SetBy(c, clock{}, s.in(1), &mark{2})
		}, map[int]float64{2: 1}},
		"after": {func(s *timed, c actor.Context) {
			s.timer.SetAfter(c, clock{}, time.Second, &mark{1})
			s.timer.SetAfter(c, clock{}, 2*time.Second, &mark{2})
		}, map[int]float64{2: 2}},
		"at the next multiple": {func(s *timed, c actor.Context) { // they count from the year 1
			s.timer.SetAtNext(c, clock{}, 7*time.Minute, &mark{1})
		}, map[int]float64{1: 180}},
		"stopped": {func(s *timed, c actor.Context) {
			s.timer.SetAfter(c, clock{}, time.Second, &mark{1})
			s.timer.Stop()
			if s.timer.IsSet() {
				t.Error("stopped, and set")
			}
		}, map[int]float64{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			timedBubble(t, func(s *timed) {
				s.tell("root", &ask{func(c actor.Context) { tt.do(s, c) }})
				s.advance(time.Hour)
				if diff := cmp.Diff(tt.want, s.got); diff != "" {
					t.Errorf("came after: %s", diff)
				}
			})
		})
	}
}

// A timer that fires while its actor is busy has its message in the mailbox. If
// the actor sets it anew before it reads that, the message means nothing.
func TestWhatATimerWasSetForBeforeDoesNotCome(t *testing.T) {
	timedBubble(t, func(s *timed) {
		s.tell("root", &ask{func(c actor.Context) {
			s.timer.SetAfter(c, clock{}, time.Second, &mark{1})
			<-time.After(2 * time.Second)
			s.timer.SetAfter(c, clock{}, time.Second, &mark{2})
		}})
		s.advance(time.Hour)
		if diff := cmp.Diff(map[int]float64{2: 3}, s.got); diff != "" {
			t.Error(diff)
		}
	})
}

// A message that a fault holds back is still the timer's when it comes.
func TestADelayedTimerComes(t *testing.T) {
	timedBubble(t, func(s *timed) {
		s.Inject(func(_, _ string, message any) supervise.Injection {
			if _, is := message.(*mark); is {
				return supervise.Injection{Reason: "late", Delay: 3 * time.Second}
			}
			return supervise.Injection{}
		})
		s.tell("root", &ask{func(c actor.Context) { s.timer.SetAfter(c, clock{}, time.Second, &mark{1}) }})
		s.advance(time.Hour)
		if diff := cmp.Diff(map[int]float64{1: 4}, s.got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestATimerIsThatOfItsIncarnation(t *testing.T) {
	timedBubble(t, func(s *timed) {
		s.tell("root", &ask{func(c actor.Context) { s.timer.SetAfter(c, clock{}, time.Minute, &mark{1}) }}, &crash{"boom"})
		s.advance(time.Hour)
		s.expect("root", supervise.StateRunning, 2)
		if len(s.got) > 0 {
			t.Errorf("the next incarnation got %v", s.got)
		}
	})
}

// An actor that stops still hears that its children have stopped, and much else
// that has it set its timer.
func TestAnActorThatEndsSetsNoTimer(t *testing.T) {
	bubble(t, func(f *fixture) {
		var timer supervise.Timer
		f.root(f.Props("root", scripted(func(c actor.Context) {
			switch c.Message().(type) {
			case *actor.Restarting, *actor.Stopping, *actor.Stopped:
				timer.SetAfter(c, clock{}, time.Minute, &mark{})
				if timer.IsSet() {
					t.Errorf("set at %T", c.Message())
				}
			}
		})), steady)
		f.tell("root", &crash{"boom"})
		f.advance(time.Second)
		f.expect("root", supervise.StateRunning, 2)
		f.tell("root", &end{"done"})
		f.expect("root", "", 0)
	})
}
