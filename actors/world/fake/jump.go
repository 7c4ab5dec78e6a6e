package fake

import (
	"sync"
	"time"
	"unsafe"

	"kouzui/actors/world"
)

// Jumping is a clock like that of a machine whose date is being set: the date
// jumps, while the time between two readings does not change. Like a reading of
// the system's clock, each of its readings has a date and a monotonic part (see
// package time, Monotonic Clocks).
type Jumping struct {
	world.Clock
	start, base time.Time

	mu     sync.Mutex
	offset time.Duration
}

// NewJumping returns a clock that runs with c.
func NewJumping(c world.Clock) *Jumping {
	return &Jumping{Clock: c, start: c.Now(), base: time.Now()}
}

// Now implements world.Clock.
func (j *Jumping) Now() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return setDate(j.base.Add(j.Clock.Now().Sub(j.start)), j.offset)
}

// Jump sets the date forward, or back, by whole seconds.
func (j *Jumping) Jump(by time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.offset += by
}

// setDate changes the date of a reading but not its monotonic part, for which
// package time has no function. If the layout of time.Time changes, TestJumping
// fails.
func setDate(t time.Time, by time.Duration) time.Time {
	const nanoseconds = 30 // the bits below the seconds
	reading := (*struct {
		wall uint64
		ext  int64
		loc  *time.Location
	})(unsafe.Pointer(&t))
	reading.wall += uint64(by/time.Second) << nanoseconds
	return t
}
