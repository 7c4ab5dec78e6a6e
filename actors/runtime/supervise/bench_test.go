package supervise_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"kouzui/actors/runtime/dispatch"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/trace"
)

// BenchmarkTell compares an actor of a Tree with one of plain Props: what
// supervision and its trace cost for each message, and what it costs to know
// how long messages wait.
func BenchmarkTell(b *testing.B) {
	const together = 512 // few enough for stamps to be met
	system := supervise.NewSystem(zerolog.Nop())
	workers := dispatch.New(0)
	left, done := 0, make(chan struct{})
	count := func(c actor.Context) {
		if _, ok := c.Message().(*mark); ok {
			if left--; left == 0 {
				done <- struct{}{}
			}
		}
	}
	producer := func() actor.Actor { return actor.ReceiveFunc(count) }
	tree := func(sample time.Duration, measurable bool) *supervise.Tree {
		return supervise.New(supervise.Config{
			System: system, Clock: clock{}, Chance: clock{}, Dispatcher: workers,
			Sinks: []event.Sink{trace.NewRecent(1024)}, Sample: sample, Measurable: measurable,
		})
	}
	supervised, measurable, looked, sampled := tree(0, false), tree(0, true), tree(0, true), tree(time.Second, false)
	defer looked.Look().Close()
	spawn := func(t *supervise.Tree, name string) *actor.PID {
		pid, err := t.Spawn(name, t.Props("root", producer), supervise.StopChild)
		if err != nil {
			b.Fatal(err)
		}
		return pid
	}
	bare := actor.PropsFromProducer(producer, actor.WithDispatcher(workers), actor.WithMailbox(actor.UnboundedLockfree()))
	cases := []struct {
		name string
		tree *supervise.Tree
		pid  *actor.PID
	}{
		{"bare", nil, system.Root.Spawn(bare)},
		{"supervised", supervised, spawn(supervised, "supervised")},
		{"measurable", measurable, spawn(measurable, "measurable")},
		{"looked at", looked, spawn(looked, "looked")},
		{"sampled", sampled, spawn(sampled, "sampled")},
	}
	for _, bb := range cases {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			m := &mark{}
			for n := b.N; n > 0; n -= together {
				left = min(n, together)
				for range left {
					system.Root.Send(bb.pid, m)
				}
				<-done
			}
		})
	}
	for _, bb := range cases {
		if err := system.Root.StopFuture(bb.pid).Wait(); err != nil {
			b.Error(err)
		}
	}
	for _, bb := range cases[1:] { // the first ends the system for all
		if err := bb.tree.Shutdown(b.Context()); err != nil {
			b.Error(err)
		}
	}
}
