//go:build unix

package dispatch

import (
	"time"

	"golang.org/x/sys/unix"
)

// TimeUsed is the processor time that the process has used.
func TimeUsed() (time.Duration, bool) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, false
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), true
}
