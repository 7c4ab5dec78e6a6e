// Package interrupt tells a command that the user wants it to stop.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// oneSignal is how long after a signal others mean the same. timeout(1) sends
// its signal to the program and then to the program's group; a terminal that is
// closed sends SIGHUP, and the shell that ends with it sends one more.
const oneSignal = 500 * time.Millisecond

// Signals are the interrupts of one run: First is closed at the first SIGINT,
// SIGTERM or SIGHUP, Second at the next that comes oneSignal later.
type Signals struct {
	First, Second <-chan struct{}
	signals       chan os.Signal
	done          chan struct{}
	once          sync.Once
}

// Listen takes signals until Close. SIGINT and SIGHUP that the parent ignored,
// as nohup and shells do for commands in the background, stay ignored. Whether
// SIGTERM was ignored cannot be known: Go's runtime has put its own handler in
// place before any code of ours runs.
func Listen() *Signals {
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	return watch(signals)
}

func watch(signals chan os.Signal) *Signals {
	first, second := make(chan struct{}), make(chan struct{})
	s := &Signals{First: first, Second: second, signals: signals, done: make(chan struct{})}
	go func() {
		var last time.Time
		for _, c := range []chan struct{}{first, second} {
			for fresh := false; !fresh; {
				select {
				case <-signals:
					now := time.Now()
					fresh = last.IsZero() || now.Sub(last) >= oneSignal
					if fresh {
						last = now
					}
				case <-s.done:
					return
				}
			}
			close(c)
		}
	}()
	return s
}

// Context returns a context that the first interrupt cancels.
func (s *Signals) Context() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-s.First:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// Context returns a context that the first interrupt ends. done gives signals
// their usual effect back.
func Context() (ctx context.Context, done func()) {
	s := Listen()
	ctx, cancel := s.Context()
	return ctx, func() {
		cancel()
		s.Close()
	}
}

// Close gives signals their usual effect back.
func (s *Signals) Close() {
	signal.Stop(s.signals)
	s.once.Do(func() { close(s.done) })
}
