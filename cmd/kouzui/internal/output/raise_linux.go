package output

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// raise sends a signal to this thread, which has taken the signal when raise
// returns.
func raise(s syscall.Signal) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), s) // fails for no process that exists
}

// ignored says that a signal which this program has not taken is ignored, as
// the parent may have wished. Of SIGTSTP and its like, package signal does not
// know it.
func ignored(s syscall.Signal) bool {
	const key = "\nSigIgn:"
	raw, _ := os.ReadFile("/proc/self/status") // without /proc, as usual
	_, rest, _ := strings.Cut(string(raw), key)
	var set uint64
	_, err := fmt.Sscanf(rest, "%x", &set)
	return err == nil && set&(1<<(s-1)) != 0
}
