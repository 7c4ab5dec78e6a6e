package dispatch

import (
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAllThatIsScheduledRunsBeforeCloseReturns(t *testing.T) {
	w := New(2)
	var ran atomic.Int64
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for range 1000 {
				w.Schedule(func() { ran.Add(1) })
			}
		})
	}
	senders.Wait()
	w.Close()
	if got := ran.Load(); got != 4000 {
		t.Errorf("%d ran, want 4000", got)
	}
}

func TestWorkThatSchedulesWorkFinishesDuringClose(t *testing.T) {
	w := New(2)
	var left atomic.Int64
	left.Store(1000)
	done := make(chan struct{})
	var again func()
	again = func() {
		if left.Add(-1) == 0 {
			close(done)
			return
		}
		w.Schedule(again)
	}
	w.Schedule(again)
	w.Close()
	<-done
}

func TestHeldWorkersDoNotStarveTheOthers(t *testing.T) {
	w := New(2)
	release := make(chan struct{})
	for range 5 {
		w.Schedule(func() { <-release })
	}
	ran := make(chan struct{})
	w.Schedule(func() { close(ran) })
	<-ran
	close(release)
	w.Close()
}

func TestAWorkerThatExitsIsReplaced(t *testing.T) {
	w := New(2)
	for range 10 {
		w.Schedule(runtime.Goexit)
	}
	ran := make(chan struct{})
	w.Schedule(func() { close(ran) })
	<-ran
	w.Close()
}

func TestRingKeepsOrderAcrossGrowth(t *testing.T) {
	var r ring
	var got []int
	next := 0
	push := func(n int) {
		for range n {
			i := next
			next++
			r.push(func() { got = append(got, i) })
		}
	}
	pop := func(n int) {
		for range n {
			r.pop()()
		}
	}
	push(60)
	pop(50)
	push(100)
	pop(110)
	for i := range got {
		if got[i] != i {
			t.Fatalf("%d came as number %d", got[i], i)
		}
	}
	if len(got) != 160 || r.n != 0 {
		t.Errorf("%d came, %d are left", len(got), r.n)
	}
}

// dispatchers lists what the benchmarks compare.
func dispatchers(b *testing.B, run func(*testing.B, actor.Dispatcher)) {
	b.Run("goroutines", func(b *testing.B) { run(b, actor.NewDefaultDispatcher(throughput)) })
	b.Run("workers", func(b *testing.B) {
		w := New(0)
		run(b, w)
		w.Close()
	})
}

type tick struct{}

func BenchmarkPingPong(b *testing.B) {
	dispatchers(b, func(b *testing.B, d actor.Dispatcher) {
		system := quiet()
		defer system.Shutdown()
		done := make(chan struct{})
		left := b.N
		var ping, pong *actor.PID
		pong = spawn(system, d, func(c actor.Context) {
			if t, ok := c.Message().(*tick); ok {
				c.Send(ping, t)
			}
		})
		ping = spawn(system, d, func(c actor.Context) {
			t, ok := c.Message().(*tick)
			if !ok {
				return
			}
			if left--; left < 0 {
				close(done)
				return
			}
			c.Send(pong, t)
		})
		b.ReportAllocs()
		b.ResetTimer()
		system.Root.Send(ping, &tick{})
		<-done
	})
}

func BenchmarkFanIn(b *testing.B) {
	dispatchers(b, func(b *testing.B, d actor.Dispatcher) {
		const sources = 100
		system := quiet()
		defer system.Shutdown()
		done := make(chan struct{})
		left := (b.N + sources - 1) / sources * sources
		sink := spawn(system, d, func(c actor.Context) {
			if _, ok := c.Message().(*tick); ok {
				if left--; left == 0 {
					close(done)
				}
			}
		})
		share := left / sources
		pids := make([]*actor.PID, sources)
		for i := range pids {
			pids[i] = spawn(system, d, func(c actor.Context) {
				if t, ok := c.Message().(*tick); ok {
					for range share {
						c.Send(sink, t)
					}
				}
			})
		}
		b.ReportAllocs()
		b.ResetTimer()
		for _, pid := range pids {
			system.Root.Send(pid, &tick{})
		}
		<-done
	})
}

func spawn(s *actor.ActorSystem, d actor.Dispatcher, f actor.ReceiveFunc) *actor.PID {
	return s.Root.Spawn(actor.PropsFromFunc(f, actor.WithDispatcher(d), actor.WithMailbox(actor.UnboundedLockfree())))
}

func quiet() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
}
