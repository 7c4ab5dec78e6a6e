package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// interrupts tells of the user's wish to stop: first is closed at the first
// SIGINT or SIGTERM, second at the next.
type interrupts struct {
	first, second <-chan struct{}
	signals       chan os.Signal
	done          chan struct{}
	once          sync.Once
}

func listenToSignals() *interrupts {
	first, second := make(chan struct{}), make(chan struct{})
	i := &interrupts{first: first, second: second, signals: make(chan os.Signal, 2), done: make(chan struct{})}
	signal.Notify(i.signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signal.Notify(i.signals, syscall.SIGHUP)
	}
	go func() {
		for _, c := range []chan struct{}{first, second} {
			select {
			case <-i.signals:
				close(c)
			case <-i.done:
				return
			}
		}
	}()
	return i
}

// context ends with the first interrupt.
func (i *interrupts) context() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-i.first:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

func (i *interrupts) close() {
	signal.Stop(i.signals)
	i.once.Do(func() { close(i.done) })
}
