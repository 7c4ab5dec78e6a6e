package real

import (
	"time"

	"kouzui/actors/world"
)

// Clock is the system's clock.
type Clock struct{}

var _ world.Clock = Clock{}

// Now implements world.Clock.
func (Clock) Now() time.Time { return time.Now() }

// AfterFunc implements world.Clock.
func (Clock) AfterFunc(d time.Duration, f func()) world.Timer { return time.AfterFunc(d, f) }
