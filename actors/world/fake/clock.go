package fake

import (
	"slices"
	"sync"
	"time"

	"kouzui/actors/world"
)

// Clock stands still until it is advanced. It is safe for concurrent use.
type Clock struct {
	mu      sync.Mutex
	changed *sync.Cond
	now     time.Time
	timers  []*timer // by due time; those of one time in the order they were set
}

type timer struct {
	clock *Clock
	due   time.Time
	f     func()
}

// NewClock returns a clock that shows start.
func NewClock(start time.Time) *Clock {
	c := &Clock{now: start}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// Now implements world.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc implements world.Clock. A timer that is due at once also waits for
// the next Advance.
func (c *Clock) AfterFunc(d time.Duration, f func()) world.Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &timer{clock: c, due: c.now.Add(max(d, 0)), f: f}
	at := slices.IndexFunc(c.timers, func(other *timer) bool { return other.due.After(t.due) })
	if at < 0 {
		at = len(c.timers)
	}
	c.timers = slices.Insert(c.timers, at, t)
	c.changed.Broadcast()
	return t
}

func (t *timer) Stop() bool {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.Index(c.timers, t)
	if at < 0 {
		return false
	}
	c.timers = slices.Delete(c.timers, at, at+1)
	c.changed.Broadcast()
	return true
}

// Advance moves the clock by d. Timers that fall due run in their order, on the
// caller's goroutine, while the clock shows their due time; so do timers that
// are set meanwhile and fall due within d.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.now.Add(d)
	for len(c.timers) > 0 && !c.timers[0].due.After(end) {
		c.runFirst()
	}
	c.moveTo(end)
}

// RunNext waits until a timer is set that falls due within d, moves the clock
// to that time, and runs this timer only.
func (c *Clock) RunNext(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.timers) == 0 || c.timers[0].due.After(c.now.Add(d)) {
		c.changed.Wait()
	}
	c.runFirst()
}

// runFirst runs the first timer. The lock is held, but released while the timer
// runs.
func (c *Clock) runFirst() {
	t := c.timers[0]
	c.timers = slices.Delete(c.timers, 0, 1)
	c.moveTo(t.due)
	c.changed.Broadcast()
	c.mu.Unlock()
	t.f()
	c.mu.Lock()
}

// moveTo moves the clock forward to t; if another Advance has moved it further
// already, it does nothing.
func (c *Clock) moveTo(t time.Time) {
	if t.After(c.now) {
		c.now = t
	}
}

// Pending is how many timers are set.
func (c *Clock) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}

// Next is how long until the first timer falls due; false if none is set.
func (c *Clock) Next() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.timers) == 0 {
		return 0, false
	}
	return c.timers[0].due.Sub(c.now), true
}

// AwaitTimers waits until at least n timers are set at once.
func (c *Clock) AwaitTimers(n int) {
	c.await(func() bool { return len(c.timers) >= n })
}

// AwaitTimer waits until a timer is set that falls due exactly d from now.
func (c *Clock) AwaitTimer(d time.Duration) {
	c.await(func() bool {
		due := c.now.Add(d)
		return slices.ContainsFunc(c.timers, func(t *timer) bool { return t.due.Equal(due) })
	})
}

// AwaitIdle waits until no timer is set.
func (c *Clock) AwaitIdle() {
	c.await(func() bool { return len(c.timers) == 0 })
}

func (c *Clock) await(reached func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !reached() {
		c.changed.Wait()
	}
}
