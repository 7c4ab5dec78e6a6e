package supervise_test

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"kouzui/actors/dispatch"
	"kouzui/actors/supervise"
	"kouzui/actors/trace"
)

// BenchmarkTell compares an actor of a Tree with one of bare Props: what
// supervision and its trace cost a message.
func BenchmarkTell(b *testing.B) {
	system := supervise.NewSystem(zerolog.Nop())
	workers := dispatch.New(0)
	tree := supervise.New(supervise.Config{
		System: system, Clock: clock{}, Chance: clock{}, Dispatcher: workers,
		Sinks: []supervise.Sink{trace.NewRecent(1024)},
	})
	left, done := 0, make(chan struct{})
	count := func(c actor.Context) {
		if _, ok := c.Message().(*mark); ok {
			if left--; left == 0 {
				done <- struct{}{}
			}
		}
	}
	producer := func() actor.Actor { return actor.ReceiveFunc(count) }
	bare := actor.PropsFromProducer(producer, actor.WithDispatcher(workers), actor.WithMailbox(actor.UnboundedLockfree()))

	pids := map[string]*actor.PID{"bare": system.Root.Spawn(bare)}
	var err error
	if pids["supervised"], err = tree.Spawn("root", tree.Props("root", producer), supervise.StopChild); err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"bare", "supervised"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			left = b.N
			m := &mark{}
			for range b.N {
				system.Root.Send(pids[name], m)
			}
			<-done
		})
	}
	if err := system.Root.StopFuture(pids["bare"]).Wait(); err != nil {
		b.Error(err)
	}
	if err := tree.Shutdown(b.Context(), pids["supervised"]); err != nil {
		b.Error(err)
	}
}
