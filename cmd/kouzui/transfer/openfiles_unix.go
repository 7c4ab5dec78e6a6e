//go:build unix

package transfer

import (
	"math"

	"golang.org/x/sys/unix"
)

// openFilesAllowed is how many files and sockets this process may have open.
func openFilesAllowed() int {
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &r) != nil {
		return math.MaxInt32
	}
	return int(min(uint64(r.Cur), math.MaxInt32))
}
