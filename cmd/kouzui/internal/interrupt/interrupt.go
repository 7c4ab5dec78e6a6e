// Package interrupt tells a command that the user wants it to stop.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Signals are the interrupts of one run: First is closed at the first SIGINT or
// SIGTERM, Second at the next.
type Signals struct {
	First, Second <-chan struct{}
	signals       chan os.Signal
	done          chan struct{}
	once          sync.Once
}

// Listen takes signals until Close. SIGHUP counts too, unless it is ignored, as
// under nohup.
func Listen() *Signals {
	first, second := make(chan struct{}), make(chan struct{})
	s := &Signals{First: first, Second: second, signals: make(chan os.Signal, 2), done: make(chan struct{})}
	signal.Notify(s.signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(s.signals, syscall.SIGHUP)
	}
	go func() {
		for _, c := range []chan struct{}{first, second} {
			select {
			case <-s.signals:
				close(c)
			case <-s.done:
				return
			}
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

// Close gives signals their usual effect back.
func (s *Signals) Close() {
	signal.Stop(s.signals)
	s.once.Do(func() { close(s.done) })
}
