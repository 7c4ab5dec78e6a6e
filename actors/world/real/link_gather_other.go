//go:build !linux

package real

import "time"

// breath is how long gather waits. Pauses of 0.5 ms and more made a download no
// cheaper.
const breath = 300 * time.Microsecond

// gather waits for a moment, in which more arrives.
func (s *socket) gather() { time.Sleep(breath) }
