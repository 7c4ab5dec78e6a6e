//go:build linux || darwin

package real

import "golang.org/x/sys/unix"

// immediate says whether the system can write what a socket has room for,
// without waiting.
const immediate = true

// writeNow writes without waiting, and returns how many bytes the socket took.
// It ignores errors: the next write meets them again.
func writeNow(fd uintptr, b []byte) int {
	for {
		n, err := unix.Write(int(fd), b)
		if err != unix.EINTR {
			return max(n, 0)
		}
	}
}
