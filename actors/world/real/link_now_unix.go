//go:build linux || darwin

package real

import "golang.org/x/sys/unix"

// immediate tells that a write takes what a socket has room for, and never
// waits.
const immediate = true

// writeNow returns how many bytes the socket took. Errors are left for the next
// write to find.
func writeNow(fd uintptr, b []byte) int {
	for {
		n, err := unix.Write(int(fd), b)
		if err != unix.EINTR {
			return max(n, 0)
		}
	}
}
