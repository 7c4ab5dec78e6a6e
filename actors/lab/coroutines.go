package lab

import (
	"iter"
	"slices"
	"time"

	"kouzui/actors/world/sim"
)

// coroutines run scripts of package hostile in virtual time. A script is
// written as if it had threads of its own; here each thread is a coroutine,
// which runs until it waits for something.
type coroutines struct {
	sim     *sim.Sim
	threads []*thread
	current *thread // the one that runs
	over    bool
}

type thread struct {
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
}

// Go implements hostile.Threads.
func (s *coroutines) Go(f func()) {
	if s.over {
		return
	}
	t := &thread{}
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		f()
	})
	s.threads = append(s.threads, t)
	s.later(0, t)
}

// Wait implements hostile.Threads.
func (s *coroutines) Wait(d time.Duration) bool {
	if !s.over {
		s.later(d, s.current)
	}
	return s.pause()
}

// Open implements hostile.Threads.
func (s *coroutines) Open() bool { return !s.over }

func (s *coroutines) later(d time.Duration, t *thread) { s.sim.After(d, func() { s.run(t) }) }

func (s *coroutines) run(t *thread) {
	if s.over {
		return
	}
	s.current = t
	if _, more := t.next(); !more {
		i := slices.Index(s.threads, t)
		s.threads = slices.Delete(s.threads, i, i+1)
	}
	s.current = nil
}

// pause suspends the current thread until run is called for it; false means
// that the thread has to end.
func (s *coroutines) pause() bool { return !s.over && s.current.yield(struct{}{}) }

// end ends all threads.
func (s *coroutines) end() {
	s.over = true
	for _, t := range s.threads {
		t.stop()
	}
}
