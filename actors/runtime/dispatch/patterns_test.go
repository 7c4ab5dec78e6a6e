package dispatch

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// Two mailboxes that wait for each other get along with any dispatcher but that
// of a single goroutine, where one runs after the other, even if the first
// takes long.
func TestDispatchersDiffer(t *testing.T) {
	for _, name := range Dispatchers.Names() {
		t.Run(name, func(t *testing.T) {
			made, err := Dispatchers.Make(name)
			if err != nil {
				t.Fatal(err)
			}
			d := made.Real()
			defer closeIfItCan(d)
			if name != "single" {
				met, done := make(chan bool), make(chan bool, 1)
				d.Schedule(func() { met <- true })
				d.Schedule(func() { done <- <-met })
				<-done
				return
			}
			var begun atomic.Bool
			overtaken, done := make(chan bool, 1), make(chan bool)
			d.Schedule(func() {
				long := make(chan bool)
				go func() { // standstills are watched for by time, which passes here
					for range 50 {
						d.(*Workers).mu.Lock()
						d.(*Workers).watchBacklog()
						d.(*Workers).mu.Unlock()
					}
					close(long)
				}()
				<-long
				overtaken <- begun.Load()
			})
			d.Schedule(func() { begun.Store(true); close(done) })
			<-done
			if d.(*Workers).watch != nil || <-overtaken {
				t.Error("a second goroutine has come to help")
			}
		})
	}
	if err := Dispatchers.Check("workers,n=1"); err == nil || !strings.Contains(err.Error(), "one is the dispatcher single") {
		t.Errorf("%v", err)
	}
}

func closeIfItCan(d actor.Dispatcher) {
	if d, can := d.(interface{ Close() }); can {
		d.Close()
	}
}
