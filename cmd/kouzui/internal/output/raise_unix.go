//go:build unix && !linux

package output

import (
	"os/signal"
	"syscall"
)

// raise sends a signal to this process.
func raise(s syscall.Signal) {
	_ = syscall.Kill(syscall.Getpid(), s) // fails for no process that exists
}

// ignored says that the parent has ignored a signal.
func ignored(s syscall.Signal) bool { return signal.Ignored(s) }
