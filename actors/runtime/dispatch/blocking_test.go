package dispatch

import (
	"sync"
	"testing"
)

// However many mailboxes block, the next one runs.
func TestBlockingNeverWaits(t *testing.T) {
	var a Blocking
	defer a.Close()
	release := make(chan struct{})
	var blocked, done sync.WaitGroup
	for range 3 * keepIdle {
		blocked.Add(1)
		done.Add(1)
		a.Schedule(func() {
			defer done.Done()
			blocked.Done()
			<-release
		})
	}
	blocked.Wait()
	close(release)
	done.Wait()
}

// Mailboxes that run one after the other share goroutines, of which a few are
// kept.
func TestBlockingKeepsAFewGoroutines(t *testing.T) {
	var a Blocking
	for range 100 {
		var round sync.WaitGroup
		for range 2 * keepIdle {
			round.Add(1)
			a.Schedule(round.Done)
		}
		round.Wait()
		a.mu.Lock()
		if len(a.idle) > keepIdle {
			t.Errorf("%d idle goroutines", len(a.idle))
		}
		a.mu.Unlock()
	}
	a.Close()
}

// Mailboxes that are scheduled during and after Close run all the same, and no
// goroutine is left.
func TestBlockingRunsAllDuringClose(t *testing.T) {
	var a Blocking
	var done sync.WaitGroup
	for i := range 1000 {
		done.Add(1)
		if i == 500 {
			go a.Close()
		}
		a.Schedule(done.Done)
	}
	done.Wait()
}
